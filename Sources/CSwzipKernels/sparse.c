// Masks of zeros (spec/codecs/sparse.md): every level's count and compaction, and the portable expansion.
#include "kernels.h"

uint32_t swzip_sparse_compact(const void *values, uint32_t count, unsigned width, uint32_t significant, uint8_t *mask,
                              void *out) {
  const uint8_t *const in = values;
  uint8_t *const bytes = out;
  uint32_t kept = 0;
  memset(mask, 0, ((size_t)count + 7) / 8);
  // Every value is written; the place moves on only if it is not zero.
#define COMPACT(type)                                                     \
  for (uint32_t i = 0; i < count; i++) {                                  \
    type value;                                                           \
    memcpy(&value, in + sizeof value * i, sizeof value);                  \
    memcpy(bytes + sizeof value * kept, &value, sizeof value);            \
    const unsigned bit = (value & significant) != 0;                      \
    mask[i / 8] = (uint8_t)(mask[i / 8] | bit << i % 8);                  \
    kept += bit;                                                          \
  }
  switch (width) {
    case 1: COMPACT(uint8_t) break;
    case 2: COMPACT(uint16_t) break;
    default: COMPACT(uint32_t) break;
  }
#undef COMPACT
  return kept;
}

uint32_t swzip_sparse_signs(const void *values, uint32_t count, unsigned width, const uint8_t *mask, uint8_t *signs) {
  const uint8_t *const top = (const uint8_t *)values + width - 1;
  uint32_t at = 0, set = 0;
  unsigned byte = 0;
  for (uint32_t i = 0; i < count; i++) {
    if (mask[i / 8] >> i % 8 & 1) continue;
    const unsigned sign = top[(size_t)i * width] >> 7;
    set += sign;
    byte |= sign << at % 8;
    if (++at % 8 == 0) signs[at / 8 - 1] = (uint8_t)byte, byte = 0;
  }
  if (at % 8) signs[at / 8] = (uint8_t)byte;
  return set;
}

void swzip_sparse_set_signs(void *values, uint32_t count, unsigned width, const uint8_t *mask, const uint8_t *signs) {
  uint8_t *const top = (uint8_t *)values + width - 1;
  uint32_t at = 0;
  for (uint32_t i = 0; i < count; i++) {
    if (mask[i / 8] >> i % 8 & 1) continue;
    top[(size_t)i * width] |= (uint8_t)((signs[at / 8] >> at % 8 & 1) << 7);
    at++;
  }
}

uint32_t swzip_sparse_count(const uint8_t *mask, uint32_t count, bool *clean) {
  const size_t bytes = ((size_t)count + 7) / 8;
  uint32_t set = 0;
  for (size_t i = 0; i < bytes; i++) set += (uint32_t)__builtin_popcount(mask[i]);
  *clean = count % 8 == 0 || mask[bytes - 1] >> count % 8 == 0;
  return set;
}

void swzip_sparse_expand_portable(const uint8_t *mask, uint32_t count, unsigned width, const void *values, void *out) {
  const uint8_t *in = values;
  uint8_t *const bytes = out;
  // A value is read at every place; where the mask has no bit it counts nothing.
#define EXPAND(type)                                                      \
  for (uint32_t i = 0; i < count; i++) {                                  \
    const unsigned bit = mask[i / 8] >> i % 8 & 1;                        \
    type value;                                                           \
    memcpy(&value, in, sizeof value);                                     \
    value = (type)(value & (type)(0 - bit));                              \
    memcpy(bytes + sizeof value * i, &value, sizeof value);               \
    in += sizeof value * bit;                                             \
  }
  switch (width) {
    case 1: EXPAND(uint8_t) break;
    case 2: EXPAND(uint16_t) break;
    default: EXPAND(uint32_t) break;
  }
#undef EXPAND
}
