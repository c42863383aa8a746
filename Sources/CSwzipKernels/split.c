// Splits floats into symbols and raw planes, value by value; and what the vector splits leave.
#include "float.h"
#include "split.h"

bool swzip_float_split_portable(swzip_float_kind kind, const void *values, uint32_t count, uint16_t window_base,
                                uint8_t *symbols, uint8_t *raw_plane, uint8_t *low0, uint8_t *low1) {
  const unsigned raw_bits = float_traits[kind].raw_bits;
  const uint32_t whole = (count + SWZIP_UNIT - 1) / SWZIP_UNIT * SWZIP_UNIT;
  bool outside = false;
  memset(raw_plane, 0, swzip_raw_plane_bytes(kind, count));
  for (uint32_t i = 0; i < whole; i++) {
    const bool real = i < count;
    const unsigned rotated = real ? float_rotate(kind, swzip_float_coded_part(kind, values, i)) : 0;
    const unsigned field = rotated >> raw_bits;
    const bool fits = field == 0 || (field > window_base && field - window_base < 256);
    // Without a symbol: what the vector code's saturating steps give; a patch follows.
    symbols[i] = (uint8_t)(field <= window_base ? 0 : field - window_base > 255 ? 255 : field - window_base);
    outside |= !fits;
    raw_put(raw_bits, raw_plane + (size_t)(i / SWZIP_UNIT) * raw_bits * 32, i % SWZIP_UNIT,
            rotated & ((1u << raw_bits) - 1));
    if (float_traits[kind].width == 4) {
      const uint32_t low = real ? load16((const uint8_t *)values + 4 * (size_t)i) : 0;
      low0[i] = (uint8_t)low;
      low1[i] = (uint8_t)(low >> 8);
    }
  }
  return outside;
}

bool swzip_float_split_by(swzip_split_function *split, swzip_float_kind kind, const void *values, uint32_t count,
                          uint16_t window_base, uint8_t *symbols, uint8_t *raw_plane, uint8_t *low0, uint8_t *low1) {
  const uint32_t units = count / SWZIP_UNIT, rest = count % SWZIP_UNIT;
  const size_t width = float_traits[kind].width, done = (size_t)units * SWZIP_UNIT;
  bool outside = split(values, units, window_base, symbols, raw_plane, low0, low1);
  if (rest) {
    _Alignas(64) uint8_t last[4 * SWZIP_UNIT] = {0};
    memcpy(last, (const uint8_t *)values + done * width, rest * width);
    outside |= split(last, 1, window_base, symbols + done, raw_plane + (size_t)units * 32 * float_traits[kind].raw_bits,
                     low0 ? low0 + done : NULL, low1 ? low1 + done : NULL);
  }
  return outside;
}
