// AVX2: which values of a delta are not quiet.
#if defined(__x86_64__)
#include "vector_avx2.h"

size_t swzip_delta_dense_avx2(const uint8_t *numbers, size_t count, uint8_t *mask, uint8_t *dense) {
  size_t found = 0, i = 0;
  for (; i + 64 <= count; i += 64) {
    const vec zero = _mm256_setzero_si256();
    const uint32_t low = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(LOAD(numbers + i), zero));
    const uint32_t high = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(LOAD(numbers + i + 32), zero));
    uint64_t bits = ~(low | (uint64_t)high << 32);
    store64(mask + i / 8, bits);
    for (; bits; bits &= bits - 1) dense[found++] = numbers[i + (size_t)__builtin_ctzll(bits)];
  }
  return found + (i < count ? swzip_delta_dense_portable(numbers + i, count - i, mask + i / 8, dense + found) : 0);
}
#pragma clang attribute pop
#endif
