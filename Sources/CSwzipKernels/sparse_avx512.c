// AVX-512: expansion of sparse blocks, a vector of values at a time.
#if defined(__x86_64__)
#include "vector_avx512.h"

void swzip_sparse_expand_avx512(const uint8_t *mask, uint32_t count, unsigned width, const void *values, void *out) {
  const uint8_t *in = values;
  uint8_t *const bytes = out;
  uint32_t i = 0;
  switch (width) {
    case 1:
      for (; i + 64 <= count; i += 64) {
        const uint64_t bits = load64(mask + i / 8);
        STORE(bytes + i, _mm512_maskz_expand_epi8(bits, LOAD(in)));
        in += __builtin_popcountll(bits);
      }
      break;
    case 2:
      for (; i + 32 <= count; i += 32) {
        const uint32_t bits = load32(mask + i / 8);
        STORE(bytes + 2 * (size_t)i, _mm512_maskz_expand_epi16(bits, LOAD(in)));
        in += 2 * __builtin_popcount(bits);
      }
      break;
    default:
      for (; i + 16 <= count; i += 16) {
        const uint16_t bits = load16(mask + i / 8);
        STORE(bytes + 4 * (size_t)i, _mm512_maskz_expand_epi32(bits, LOAD(in)));
        in += 4 * __builtin_popcount(bits);
      }
  }
  swzip_sparse_expand_portable(mask + i / 8, count - i, width, in, bytes + (size_t)i * width);
}
#pragma clang attribute pop
#endif
