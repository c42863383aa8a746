// AVX2 + BMI2: Huffman streams.
#if defined(__x86_64__)
#include "vector_avx2.h"
#include "huffman.h"

void swzip_huffman_decode_avx2(const uint8_t *streams, const uint32_t *position, int64_t length, int64_t values,
                               uint8_t *low, size_t stride, const swzip_decode_table *table, swzip_prefetch ahead,
                               swzip_prefetch plane) {
  huffman_decode(streams, position, length, values, low, stride, table, ahead, plane);
}

// Encoding, 32 symbols at a time: codes and lengths come from byte shuffles over a window of 32 symbols, neighbours are
// joined to pairs (multiply by 2^length and add), quads and octets (variable shifts), and four octets are appended to the
// bit stream. Octets over 56 bits, and symbols outside the window or without a code, take the scalar path.
#define APPEND(code_bits, code_length)      \
  {                                         \
    bits |= (uint64_t)(code_bits) << held;  \
    held += (code_length);                  \
    store64(out, bits);                     \
    out += held >> 3;                       \
    bits >>= held & 56;                     \
    held &= 7;                              \
  }
#define APPEND_ONE(i)                                                                    \
  {                                                                                      \
    unsigned symbol = symbols[i];                                                        \
    if (__builtin_expect(!table->length[symbol], 0)) {                                   \
      if (*missing_count < missing_capacity) missing[*missing_count] = first_position + (uint32_t)(i); \
      (*missing_count)++;                                                                \
      symbol = table->cheapest;                                                          \
    }                                                                                    \
    APPEND(table->code[symbol], table->length[symbol])                                   \
  }

uint8_t *swzip_huffman_encode_avx2(const uint8_t *symbols, size_t count, const swzip_encode_table *table, uint8_t *out,
                                   uint32_t first_position, uint32_t *missing, uint32_t missing_capacity,
                                   uint32_t *missing_count) {
  const vec zero = _mm256_setzero_si256(), low4 = _mm256_set1_epi8(15), low3 = _mm256_set1_epi8(7);
  const vec window = _mm256_set1_epi8(31), first = _mm256_set1_epi8((char)table->first);
  vec low[2], high[2];
  for (int i = 0; i < 2; i++) {
    low[i] = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)(table->low + 16 * i)));
    high[i] = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)(table->high + 16 * i)));
  }
  const vec power_low = _mm256_setr_epi8(1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64,
                                         -128, 0, 0, 0, 0, 0, 0, 0, 0);
  const vec power_high = _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2,
                                          4, 8, 0, 0, 0, 0);
  const vec one_high = _mm256_set1_epi32(0x00010000), low32 = _mm256_set1_epi64x(0xFFFFFFFF);
  uint64_t bits = 0;
  unsigned held = 0;
  size_t i = count;
  while (i & 31) {
    i--;
    APPEND_ONE(i)
  }
  while (i) {
    i -= 32;
    const vec x = _mm256_sub_epi8(LOAD(symbols + i), first);
    vec good = _mm256_cmpeq_epi8(_mm256_min_epu8(x, window), x);
    const vec bit4 = _mm256_slli_epi16(x, 3), nibble = _mm256_and_si256(x, low4);
#define PICK(t) \
  _mm256_blendv_epi8(_mm256_shuffle_epi8(t[0], nibble), _mm256_shuffle_epi8(t[1], nibble), bit4)
    const vec code_low = PICK(low), both = PICK(high);
    const vec length = _mm256_and_si256(both, low4);
    const vec code_high = _mm256_and_si256(_mm256_srli_epi16(both, 4), low3);
    good = _mm256_andnot_si256(_mm256_cmpeq_epi8(length, zero), good);
    // pairs: code of the later symbol below, the earlier one's shifted up by the later one's length
    const vec pl = _mm256_shuffle_epi8(power_low, length), ph = _mm256_shuffle_epi8(power_high, length);
    const vec code_a = _mm256_unpacklo_epi8(code_low, code_high), code_b = _mm256_unpackhi_epi8(code_low, code_high);
    const vec power_a = _mm256_or_si256(_mm256_srli_epi32(_mm256_unpacklo_epi8(pl, ph), 16), one_high);
    const vec power_b = _mm256_or_si256(_mm256_srli_epi32(_mm256_unpackhi_epi8(pl, ph), 16), one_high);
    const vec pair_a = _mm256_madd_epi16(code_a, power_a), pair_b = _mm256_madd_epi16(code_b, power_b);
    const vec length2 = _mm256_maddubs_epi16(length, _mm256_set1_epi8(1));
    const vec length_a = _mm256_unpacklo_epi16(length2, zero), length_b = _mm256_unpackhi_epi16(length2, zero);
    // quads
    const vec quad_a = _mm256_or_si256(_mm256_srli_epi64(pair_a, 32),
                                       _mm256_sllv_epi64(_mm256_and_si256(pair_a, low32), _mm256_srli_epi64(length_a, 32)));
    const vec quad_b = _mm256_or_si256(_mm256_srli_epi64(pair_b, 32),
                                       _mm256_sllv_epi64(_mm256_and_si256(pair_b, low32), _mm256_srli_epi64(length_b, 32)));
    const vec length4_a = _mm256_add_epi64(_mm256_srli_epi64(length_a, 32), _mm256_and_si256(length_a, low32));
    const vec length4_b = _mm256_add_epi64(_mm256_srli_epi64(length_b, 32), _mm256_and_si256(length_b, low32));
    // octets
    const vec later = _mm256_unpackhi_epi64(quad_a, quad_b), earlier = _mm256_unpacklo_epi64(quad_a, quad_b);
    const vec later_length = _mm256_unpackhi_epi64(length4_a, length4_b);
    const vec octet = _mm256_or_si256(later, _mm256_sllv_epi64(earlier, later_length));
    const vec octet_length = _mm256_add_epi64(later_length, _mm256_unpacklo_epi64(length4_a, length4_b));
    const vec long_octet = _mm256_cmpgt_epi64(octet_length, _mm256_set1_epi64x(56));
    if (__builtin_expect(_mm256_movemask_epi8(good) == -1 && _mm256_testz_si256(long_octet, long_octet), 1)) {
      _Alignas(32) uint64_t octets[4], lengths[4];
      _mm256_store_si256((vec *)(void *)octets, octet);
      _mm256_store_si256((vec *)(void *)lengths, octet_length);
      APPEND(octets[3], (unsigned)lengths[3])
      APPEND(octets[2], (unsigned)lengths[2])
      APPEND(octets[1], (unsigned)lengths[1])
      APPEND(octets[0], (unsigned)lengths[0])
    } else {
      for (size_t j = i + 32; j-- > i;) APPEND_ONE(j)
    }
  }
  if (held) *out++ = (uint8_t)bits;
  return out;
}
#pragma clang attribute pop
#endif
