// NEON: expansion of sparse blocks, eight values at a time. Gives the bytes of sparse.c.
#if defined(__aarch64__)
#include "vector_neon.h"

#define PAIR(set, i) ((uint64_t)__builtin_popcount((set) & ((1u << (i)) - 1)) * 0x0202 + 0x0100)
#define PLACE(set, i) ((set) >> (i) & 1 ? PAIR(set, i) : 0xFFFFull) << 16 * ((i) & 3)
#define PLACES(set) {PLACE(set, 0) | PLACE(set, 1) | PLACE(set, 2) | PLACE(set, 3), \
                     PLACE(set, 4) | PLACE(set, 5) | PLACE(set, 6) | PLACE(set, 7)},
const uint64_t swzip_word_places[256][2] = {SWZIP_EACH_BYTE(PLACES)};

// The places of words become those of bytes and of double words. What has no place is outside the look-up, which gives zero.
void swzip_sparse_expand_neon(const uint8_t *mask, uint32_t count, unsigned width, const void *values, void *out) {
  const uint8_t *in = values;
  uint8_t *bytes = out;
  const vec odd = (vec)vdupq_n_u16(0x0100);
  uint32_t i = 0;
  for (; i + 8 <= count; i += 8, bytes += 8 * width) {
    const unsigned bits = mask[i / 8];
    const vec place = (vec)vld1q_u64(swzip_word_places[bits]);
    if (width == 1) {
      vst1_u8(bytes, vtbl1_u8(vld1_u8(in), vshr_n_u8(vmovn_u16((uint16x8_t)place), 1)));
    } else if (width == 2) {
      STORE(bytes, vqtbl1q_u8(LOAD(in), place));
    } else {
      const uint8x16x2_t eight = {{LOAD(in), LOAD(in + 16)}};
      const vec low = vzip1q_u8(place, place), high = vzip2q_u8(place, place);
      STORE(bytes, vqtbl2q_u8(eight, low + low + odd));
      STORE(bytes + 16, vqtbl2q_u8(eight, high + high + odd));
    }
    in += width * (unsigned)__builtin_popcount(bits);
  }
  swzip_sparse_expand_portable(mask + i / 8, count - i, width, in, bytes);
}
#endif
