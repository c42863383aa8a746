// AVX-512: rANS of 16 states a vector, two vectors in flight; words come in by expansion of the lanes that need one, and go out
// by compression. Gives the symbols and the words of rans.c.
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

// Adds a symbol to each of 16 states. A quotient is below 2^20: a float's division, rounded down at every step, gives it or
// the number before.
INLINE vec encode_turn(vec x, const uint8_t *symbols, const uint8_t *numbers, const swzip_rans_encode_table *tables,
                       uint8_t **out) {
  const vec symbol = _mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)symbols));
  const vec table = numbers ? _mm512_slli_epi32(_mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)numbers)), 8)
                            : _mm512_setzero_si512();
  // The last four bytes of an entry are all that a vector needs.
  const vec index = _mm512_slli_epi32(_mm512_or_si512(table, symbol), 1);
  const vec entry = _mm512_i32gather_epi32(index, (const uint8_t *)tables + offsetof(swzip_rans_encode_symbol, start), 8);
  const vec others = _mm512_srli_epi32(entry, 16), slots = _mm512_set1_epi32(SWZIP_RANS_SLOTS);
  const vec frequency = _mm512_sub_epi32(slots, others), one = _mm512_set1_epi32(1);
  vec start = _mm512_and_si512(entry, _mm512_set1_epi32(0xFFFF));
  start = _mm512_mask_sub_epi32(start, _mm512_cmpeq_epi32_mask(frequency, one), start, _mm512_sub_epi32(slots, one));

  // The words of those that are too large, the last lane's next to those that are there. What is stored below counts only
  // when it is written again.
  const __mmask16 writes = _mm512_cmpge_epu32_mask(_mm512_srli_epi32(x, 20), frequency);
  const unsigned count = (unsigned)__builtin_popcount(writes);
  const __m256i words = _mm512_cvtepi32_epi16(_mm512_maskz_compress_epi32(writes, x));
  const __m256i lanes = _mm256_setr_epi16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m256i from = _mm256_add_epi16(lanes, _mm256_set1_epi16((short)count));
  STORE_HALF(*out - 32, _mm256_permutexvar_epi16(from, words));
  *out -= 2 * count;

  x = _mm512_mask_srli_epi32(x, writes, x, 16);
#define DOWN (_MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC)
  const __m512 ratio = _mm512_div_round_ps(_mm512_cvt_roundepu32_ps(x, DOWN), _mm512_cvtepi32_ps(frequency), DOWN);
#undef DOWN
  const vec quotient = _mm512_cvttps_epi32(ratio);
  const vec rest = _mm512_sub_epi32(x, _mm512_mullo_epi32(quotient, frequency));
  const vec sum = _mm512_add_epi32(_mm512_add_epi32(x, start), _mm512_mullo_epi32(quotient, others));
  return _mm512_mask_add_epi32(sum, _mm512_cmpge_epu32_mask(rest, frequency), sum, others);
}

size_t swzip_rans_encode_avx512(const uint8_t *symbols, size_t count, const uint8_t *numbers,
                                const swzip_rans_encode_table *tables, uint32_t *states, uint16_t *end) {
  const size_t whole = count & ~(size_t)31;
  uint8_t *out = rans_encode_down_to(symbols, whole, count, numbers, tables, states, (uint8_t *)end);
  vec a = LOAD(states), b = LOAD(states + 16);
  // As many words fit below as symbols are left: at least 16.
  for (size_t i = whole; i > 0;) {
    i -= 32;
    b = encode_turn(b, symbols + i + 16, numbers ? numbers + i + 16 : NULL, tables, &out);
    a = encode_turn(a, symbols + i, numbers ? numbers + i : NULL, tables, &out);
  }
  STORE(states, a);
  STORE(states + 16, b);
  return (size_t)((uint8_t *)end - out) / 2;
}
#pragma clang attribute pop
#endif
