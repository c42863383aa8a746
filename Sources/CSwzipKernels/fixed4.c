// Mode fixed4 (spec/codecs/fixed4.md), value by value.
#include "float.h"

uint32_t swzip_fixed4_escapes_portable(const uint8_t *codes, uint32_t count) {
  uint32_t found = 0;
  const uint32_t units = (count + 63) / 64;
  for (size_t i = 0; i < (size_t)units * 32; i++) found += (uint32_t)((codes[i] & 15) == 15) + (codes[i] >> 4 == 15);
  return found;
}

void swzip_fixed4_decode_portable(const uint8_t *codes, const uint8_t *codebook, const uint8_t *raw_plane,
                                  const uint8_t *escapes, uint32_t count, void *out, bool streaming, uint64_t *hash) {
  (void)streaming;
  for (uint32_t i = 0; i < count; i++) {
    const unsigned code = codes[i / 64 * 32 + i % 32] >> (i % 64 < 32 ? 0 : 4) & 15;
    const unsigned symbol = code == 15 ? *escapes++ : codebook[code];
    store16((uint8_t *)out + 2 * (size_t)i, (uint16_t)float_unrotate(SWZIP_BF16_J0, symbol << 8 | raw_plane[i]));
  }
  *hash = swzip_xxh3_64_portable(out, 2 * (size_t)count, 0);
}

uint32_t swzip_fixed4_encode_portable(const void *values, uint32_t count, uint8_t window_first, uint8_t *codes,
                                      uint8_t *raw_plane, uint8_t *escapes) {
  uint32_t escaped = 0;
  memset(codes, 0, (size_t)(count + 63) / 64 * 32);
  memset(raw_plane, 0, swzip_raw_plane_bytes(SWZIP_BF16_J0, count));
  for (uint32_t i = 0; i < count; i++) {
    const unsigned rotated = float_rotate(SWZIP_BF16_J0, load16((const uint8_t *)values + 2 * (size_t)i));
    const unsigned symbol = rotated >> 8, step = symbol - window_first;
    const unsigned code = symbol == 0 ? 0 : step < 14 ? step + 1 : 15;
    if (code == 15) escapes[escaped++] = (uint8_t)symbol;
    codes[i / 64 * 32 + i % 32] |= (uint8_t)(code << (i % 64 < 32 ? 0 : 4));
    raw_plane[i] = (uint8_t)rotated;
  }
  return escaped;
}
