// AVX2: rANS of eight states a vector, four vectors in flight. Gives the symbols of rans.c.
#if defined(__x86_64__)
#include "vector_avx2.h"
#include "rans.h"

#define TURN(v, place)                                                                                          \
  {                                                                                                             \
    const vec slot = _mm256_and_si256(v, twelve);                                                               \
    const vec table = numbers ? _mm256_slli_epi32(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)(numbers + (place)))), 12) \
                              : _mm256_setzero_si256();                                                         \
    const vec entry = _mm256_i32gather_epi32((const int *)(const void *)tables, _mm256_or_si256(table, slot), 4); \
    const vec top = _mm256_srli_epi32(entry, 24);                                                               \
    const __m128i half = _mm_packus_epi32(_mm256_castsi256_si128(top), _mm256_extracti128_si256(top, 1));       \
    _mm_storel_epi64((void *)(symbols + (place)), _mm_packus_epi16(half, half));                                \
    v = _mm256_add_epi32(_mm256_mullo_epi32(_mm256_and_si256(entry, twelve), _mm256_srli_epi32(v, 12)),         \
                         _mm256_and_si256(_mm256_srli_epi32(entry, 12), twelve));                               \
    const vec low = _mm256_cmpeq_epi32(_mm256_srli_epi32(v, 16), _mm256_setzero_si256());                       \
    const unsigned lanes = (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(low));                              \
    const vec in = _mm256_cvtepu16_epi32(_mm_loadu_si128((const void *)(words + 2 * at)));                      \
    const vec rank = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128((long long)swzip_lane_ranks[lanes]));                          \
    const vec joined = _mm256_or_si256(_mm256_slli_epi32(v, 16), _mm256_permutevar8x32_epi32(in, rank));        \
    v = _mm256_blendv_epi8(v, joined, low);                                                                     \
    at += (size_t)__builtin_popcount(lanes);                                                                    \
  }

bool swzip_rans_decode_avx2(const uint8_t *words, size_t word_count, const uint8_t *states, size_t count,
                            const uint8_t *numbers, const swzip_rans_table *tables, uint8_t *symbols) {
  const vec twelve = _mm256_set1_epi32(SWZIP_RANS_SLOTS - 1);
  vec a = LOAD(states), b = LOAD(states + 32), c = LOAD(states + 64), d = LOAD(states + 96);
  size_t at = 0, i = 0;
  const size_t whole = count & ~(size_t)31;
  // within the slack behind the words, a turn's loads are safe wherever it begins
  for (; i < whole && at <= word_count; i += 32) {
    TURN(a, i)
    TURN(b, i + 8)
    TURN(c, i + 16)
    TURN(d, i + 24)
  }
  uint32_t x[SWZIP_STREAMS];
  STORE(x, a);
  STORE(x + 8, b);
  STORE(x + 16, c);
  STORE(x + 24, d);
  return rans_decode_from(words, word_count, x, i, count, numbers, tables, symbols, &at) &&
         rans_is_finished(x, at, word_count);
}

// A row's class shifts the map; the columns' classes then choose among 16 neighbours.
void swzip_rans_numbers_avx2(const uint8_t *row_classes, size_t rows, const uint8_t *columns, size_t row_length,
                             const uint8_t *map, uint8_t *numbers) {
  for (size_t row = 0; row < rows; row++, numbers += row_length) {
    const uint8_t *const mine = map + row_classes[row];
    if (!columns) {
      memset(numbers, *mine, row_length);
      continue;
    }
    const vec chosen = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)mine));
    size_t j = 0;
    for (; j + 32 <= row_length; j += 32) STORE(numbers + j, _mm256_shuffle_epi8(chosen, LOAD(columns + j)));
    for (; j < row_length; j++) numbers[j] = mine[columns[j]];
  }
}
#pragma clang attribute pop
#endif
