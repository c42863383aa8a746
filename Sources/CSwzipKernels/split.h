// What the vector splits share: each splits whole units.
#ifndef SWZIP_SPLIT_H
#define SWZIP_SPLIT_H
#include "kernels.h"

typedef bool swzip_split_function(const uint8_t *values, uint32_t units, uint16_t base, uint8_t *symbols, uint8_t *raw,
                                  uint8_t *low0, uint8_t *low1);

#define SPLIT(kind)                                                                                              \
  static NOINLINE bool split_##kind(const uint8_t *values, uint32_t units, uint16_t base, uint8_t *symbols,      \
                                    uint8_t *raw, uint8_t *low0, uint8_t *low1) {                                \
    return split_units(SWZIP_##kind, values, units, base, symbols, raw, low0, low1);                             \
  }
#define SPLITS(kind) [SWZIP_##kind] = split_##kind

// Splits whole units by `split`, and the rest of the values as a unit filled with zeros.
bool swzip_float_split_by(swzip_split_function *split, swzip_float_kind kind, const void *values, uint32_t count,
                          uint16_t window_base, uint8_t *symbols, uint8_t *raw_plane, uint8_t *low0, uint8_t *low1)
    __attribute__((visibility("hidden")));
#endif
