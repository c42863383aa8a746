// NEON: which values of a delta are not quiet.
#if defined(__aarch64__)
#include "vector_neon.h"

// Eight numbers are packed by a look-up; where the next eight go is known by the ones before.
size_t swzip_delta_dense_neon(const uint8_t *numbers, size_t count, uint8_t *mask, uint8_t *dense) {
  size_t found = 0, i = 0;
  for (; i + 64 <= count; i += 64) {
    vec loud[4];
    for (int q = 0; q < 4; q++) loud[q] = vtstq_u8(LOAD(numbers + i + 16 * q), LOAD(numbers + i + 16 * q));
    const uint64_t bits = mask_of(loud[0], loud[1], loud[2], loud[3]), ones = running_ones(bits);
    store64(mask + i / 8, bits);
    if (bits == 0) continue;
    UNROLL for (int j = 0; j < 8; j++) {
      const uint8x8_t packed = vtbl1_u8(vld1_u8(numbers + i + 8 * j), vcreate_u8(swzip_packs[bits >> 8 * j & 255].set));
      vst1_u8(dense + found + (ones << 8 >> 8 * j & 255), packed);
    }
    found += ones >> 56;
  }
  return found + (i < count ? swzip_delta_dense_portable(numbers + i, count - i, mask + i / 8, dense + found) : 0);
}
#endif
