// AVX-512: counts the symbols of a window of 64. For each eighth of the window one byte look-up gives a symbol's bit (0 if
// it is not in that eighth); a bit matrix is turned, so that a byte holds the bits of one symbol from eight places, and its
// ones are counted. A byte counter takes 8 more each time: 31 times at most. Bytes outside the window are counted one by
// one; if they are many, the definition does the rest.
#if defined(__x86_64__)
#include "vector_avx512.h"

void swzip_histogram_add_avx512(const uint8_t *bytes, size_t count, size_t step, uint32_t counts[256]) {
  const size_t pair = 64 * step;
  const size_t pairs = count >= 32 * step + 32 ? (count - 32 * step - 32) / pair + 1 : 0;  // two whole runs each
  if (pairs < 8) {
    swzip_histogram_add_portable(bytes, count, step, counts);
    return;
  }
#define RUNS(i)                                                                                                    \
  _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_loadu_si256((const __m256i *)(const void *)(bytes + (i) * pair))), \
                     _mm256_loadu_si256((const __m256i *)(const void *)(bytes + (i) * pair + 32 * step)), 1)
  // symbols of floats have a clear upper end: the window ends with the largest one of a sample
  vec most = RUNS(0);
  for (size_t i = 1; i < pairs; i += (pairs + 15) / 16) most = _mm512_max_epu8(most, RUNS(i));
  _Alignas(64) uint8_t each[64];
  _mm512_store_si512((void *)each, most);
  unsigned top = 63;
  for (int i = 0; i < 64; i++) top = each[i] > top ? each[i] : top;
  const unsigned first = top - 63;
  const vec one_bit = _mm512_set1_epi64((long long)0x8040201008040201), numbers = byte_numbers();
  const vec eighth = _mm512_and_si512(_mm512_srli_epi16(numbers, 3), _mm512_set1_epi8(7));
  vec table[8], wide[8];
  for (int b = 0; b < 8; b++) {
    table[b] = _mm512_maskz_mov_epi8(_mm512_cmpeq_epi8_mask(eighth, _mm512_set1_epi8((char)b)), one_bit);
    wide[b] = _mm512_setzero_si512();
  }
  size_t i = 0;
  for (size_t outside = 0; i < pairs && outside <= 2 * i;) {
    vec sum[8];
    for (int b = 0; b < 8; b++) sum[b] = _mm512_setzero_si512();
    const size_t stop = pairs - i < 31 ? pairs : i + 31;
    for (; i < stop; i++) {
      const vec loaded = RUNS(i), x = _mm512_sub_epi8(loaded, _mm512_set1_epi8((char)first));
      const __mmask64 inside = _mm512_cmplt_epu8_mask(x, _mm512_set1_epi8(64));
      if (__builtin_expect(~inside != 0, 0)) {
        _mm512_store_si512((void *)each, loaded);
        for (__mmask64 left = ~inside; left; left &= left - 1, outside++) counts[each[__builtin_ctzll(left)]]++;
      }
      _Pragma("clang loop unroll(full)") for (int b = 0; b < 8; b++) {
        const vec bits = _mm512_maskz_permutexvar_epi8(inside, x, table[b]);
        // the matrix is the data: applied to the byte 1 << k it gives bit k of its eight rows
        const vec turned = _mm512_gf2p8affine_epi64_epi8(one_bit, bits, 0);
        sum[b] = _mm512_add_epi8(sum[b], _mm512_popcnt_epi8(turned));
      }
    }
    // the eight places of each symbol together: 8 * 248 at most
    for (int b = 0; b < 8; b++) {
      vec words = _mm512_add_epi16(_mm512_cvtepu8_epi16(_mm512_castsi512_si256(sum[b])),
                                   _mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64(sum[b], 1)));
      const __m256i half = _mm256_add_epi16(_mm512_castsi512_si256(words), _mm512_extracti64x4_epi64(words, 1));
      const __m128i eight = _mm_add_epi16(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
      wide[b] = _mm512_add_epi64(wide[b], _mm512_cvtepu16_epi64(eight));
    }
  }
  for (int b = 0; b < 8; b++) {
    uint64_t mine[8];
    STORE(mine, wide[b]);
    for (int k = 0; k < 8; k++) counts[first + 8 * (unsigned)b + (unsigned)k] += (uint32_t)mine[k];
  }
  if (i * pair < count) swzip_histogram_add_portable(bytes + i * pair, count - i * pair, step, counts);
#undef RUNS
}
#pragma clang attribute pop
#endif
