// AVX-512: rANS of 16 states a vector, two vectors in flight; words come in by expansion of the lanes that need one. Gives the
// symbols of rans.c.
#if defined(__x86_64__)
#include "vector_avx512.h"
#include "rans.h"

#define TURN(v, place)                                                                                           \
  {                                                                                                              \
    const vec slot = _mm512_and_si512(v, _mm512_set1_epi32(SWZIP_RANS_SLOTS - 1));                               \
    const vec table = numbers ? _mm512_slli_epi32(_mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)(numbers + (place)))), 12) \
                              : _mm512_setzero_si512();                                                          \
    const vec entry = _mm512_i32gather_epi32(_mm512_or_si512(table, slot), tables, 4);                           \
    _mm_storeu_si128((void *)(symbols + (place)), _mm512_cvtepi32_epi8(_mm512_srli_epi32(entry, 24)));           \
    v = _mm512_add_epi32(_mm512_mullo_epi32(_mm512_and_si512(entry, _mm512_set1_epi32(0xFFF)),                   \
                                            _mm512_srli_epi32(v, 12)),                                           \
                         _mm512_and_si512(_mm512_srli_epi32(entry, 12), _mm512_set1_epi32(0xFFF)));              \
    const __mmask16 low = _mm512_cmplt_epu32_mask(v, _mm512_set1_epi32(SWZIP_RANS_LOW));                         \
    const vec in = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const void *)(words + 2 * at)));                    \
    v = _mm512_mask_or_epi32(v, low, _mm512_slli_epi32(v, 16), _mm512_maskz_expand_epi32(low, in));              \
    at += (size_t)__builtin_popcount(low);                                                                       \
  }

bool swzip_rans_decode_avx512(const uint8_t *words, size_t word_count, const uint8_t *states, size_t count,
                              const uint8_t *numbers, const swzip_rans_table *tables, uint8_t *symbols) {
  vec a = LOAD(states), b = LOAD(states + 64);
  size_t at = 0, i = 0;
  const size_t whole = count & ~(size_t)31;
  // within the slack behind the words, a turn's loads are safe wherever it begins
  for (; i < whole && at <= word_count; i += 32) {
    TURN(a, i)
    TURN(b, i + 16)
  }
  uint32_t x[SWZIP_STREAMS];
  STORE(x, a);
  STORE(x + 16, b);
  return rans_decode_from(words, word_count, x, i, count, numbers, tables, symbols, &at) &&
         rans_is_finished(x, at, word_count);
}
#pragma clang attribute pop
#endif
