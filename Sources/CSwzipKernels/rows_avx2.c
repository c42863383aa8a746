// AVX2: sums of rows.
#if defined(__x86_64__)
#include "vector_avx2.h"

void swzip_row_sums_avx2(const uint8_t *symbols, uint32_t rows, uint32_t row_length, uint32_t *sums) {
  for (uint32_t row = 0; row < rows; row++, symbols += row_length) {
    vec sum = _mm256_setzero_si256();
    for (uint32_t i = 0; i < row_length; i += 32)
      sum = _mm256_add_epi64(sum, _mm256_sad_epu8(LOAD(symbols + i), _mm256_setzero_si256()));
    sums[row] = (uint32_t)(_mm256_extract_epi64(sum, 0) + _mm256_extract_epi64(sum, 1) + _mm256_extract_epi64(sum, 2) +
                           _mm256_extract_epi64(sum, 3));
  }
}
#pragma clang attribute pop
#endif
