// AVX-512: differences applied to a base, 16 values of 4 bytes a vector; those of 2 bytes are in delta_halves_avx512.c. Gives
// what delta.c gives. Bytes gain nothing over AVX2's.
#if defined(__x86_64__)
#include "vector_avx512.h"
#include "delta.h"

// Sums up to each of 16 numbers.
INLINE vec running_sum(vec v) {
  const vec zero = _mm512_setzero_si512();
  v = _mm512_add_epi32(v, _mm512_alignr_epi32(v, zero, 15));
  v = _mm512_add_epi32(v, _mm512_alignr_epi32(v, zero, 14));
  v = _mm512_add_epi32(v, _mm512_alignr_epi32(v, zero, 12));
  return _mm512_add_epi32(v, _mm512_alignr_epi32(v, zero, 8));
}

// 32 bits from each of eight places in 64 bytes; a place and its bits end there.
INLINE __m256i windows(vec bytes, __m256i place) {
  // Each lane of 64 bits takes the eight bytes from its place's byte on.
  const vec wide = _mm512_cvtepu32_epi64(place);
  const vec first = _mm512_shuffle_epi8(_mm512_srli_epi64(wide, 3), _mm512_set4_epi32(0x08080808, 0x08080808, 0, 0));
  const vec at = _mm512_add_epi8(first, _mm512_set1_epi64(0x0706050403020100));
  const vec in = _mm512_permutexvar_epi8(at, bytes);
  return _mm512_cvtepi64_epi32(_mm512_srlv_epi64(in, _mm512_and_si512(wide, _mm512_set1_epi64(7))));
}

// The value at a difference from the base.
INLINE vec moved(vec base, vec g, uint32_t sign) {
  const vec signs = _mm512_set1_epi32((int)sign);
  const vec y = _mm512_add_epi32(_mm512_andnot_si512(signs, base), g);
  if (!sign) return y;
  const vec reordered = _mm512_xor_si512(y, _mm512_srli_epi32(_mm512_srai_epi32(y, 31), 1));
  return _mm512_xor_si512(reordered, _mm512_and_si512(base, signs));
}

// Applies groups of 16 values and returns how many values are done: all whole groups, or those before the one whose low
// bits are more than there are.
INLINE size_t apply_by(const uint8_t *symbols, const uint8_t *bits, size_t bit_count, const uint8_t *base, size_t count,
                       uint32_t sign, uint8_t *out, size_t *at) {
  const unsigned k = delta_token_bits(4);
  size_t next = *at, i = 0;
  for (; i + 16 <= count; i += 16) {
    const vec symbol = _mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)(symbols + i)));
    const vec token = _mm512_and_si512(symbol, _mm512_set1_epi32(127)), one = _mm512_set1_epi32(1 << k);
    const __mmask16 large = _mm512_cmpge_epi32_mask(token, one);
    vec magnitude = token;
    if (large) {
      const vec low = _mm512_maskz_sub_epi32(large, _mm512_srli_epi32(token, k), _mm512_set1_epi32(1));
      const vec sum = running_sum(low);
      const unsigned total = (unsigned)_mm_extract_epi32(_mm512_extracti32x4_epi32(sum, 3), 3);
      if (total > bit_count - next) break;
      const vec bytes = LOAD(bits + next / 8);
      const vec place = _mm512_add_epi32(_mm512_sub_epi32(sum, low), _mm512_set1_epi32((int)(next & 7)));
      const vec in = _mm512_inserti64x4(_mm512_castsi256_si512(windows(bytes, _mm512_castsi512_si256(place))),
                                        windows(bytes, _mm512_extracti64x4_epi64(place, 1)), 1);
      const vec rest = _mm512_andnot_si512(_mm512_sllv_epi32(_mm512_set1_epi32(-1), low), in);
      const vec top = _mm512_mask_or_epi32(token, large, _mm512_and_si512(token, _mm512_set1_epi32((1 << k) - 1)), one);
      magnitude = _mm512_add_epi32(_mm512_sllv_epi32(top, low), rest);
      next += total;
    }
    const vec negative = _mm512_srai_epi32(_mm512_slli_epi32(symbol, 24), 31);
    const vec g = _mm512_sub_epi32(_mm512_xor_si512(magnitude, negative), negative);
    STORE(out + 4 * i, moved(LOAD(base + 4 * i), g, sign));
  }
  *at = next;
  return i;
}

size_t swzip_delta_apply_avx512(const swzip_delta_kind *kind, const uint8_t *symbols, const uint8_t *bits,
                                size_t byte_count, const void *base, size_t count, void *out) {
  size_t at = 0, done = 0;
#define APPLY(sign) apply_by(symbols, bits, 8 * byte_count, base, count, sign, out, &at)
  switch (kind->width) {
    case 2: done = swzip_delta_apply_halves(kind->is_float, symbols, bits, 8 * byte_count, base, count, out, &at); break;
    case 4: done = kind->is_float ? APPLY(0x80000000u) : APPLY(0); break;
    default: return swzip_delta_apply_avx2(kind, symbols, bits, byte_count, base, count, out);
  }
#undef APPLY
  const bool good = swzip_delta_apply_from(kind, symbols, bits, 8 * byte_count, base, done, count, out, &at);
  return good ? (at + 7) / 8 : byte_count + 1;
}

void swzip_delta_symbols_avx512(const swzip_delta_kind *kind, const void *values, const void *base, size_t count,
                                uint8_t *symbols) {
  const size_t done = kind->width == 2 ? swzip_delta_symbols_halves(kind->is_float, values, base, count, symbols) : 0;
  const size_t bytes = done * kind->width;
  swzip_delta_symbols_avx2(kind, (const uint8_t *)values + bytes, (const uint8_t *)base + bytes, count - done,
                           symbols + done);
}

size_t swzip_delta_low_bits_avx512(const swzip_delta_kind *kind, const void *values, const void *base,
                                   const uint8_t *symbols, size_t count, uint8_t *out) {
  if (kind->width != 2) return swzip_delta_low_bits_avx2(kind, values, base, symbols, count, out);
  delta_bits bits = {out, 0, 0};
  const size_t done = swzip_delta_low_bits_halves(kind->is_float, values, base, symbols, count, &bits);
  return (size_t)(swzip_delta_low_bits_from(kind, values, base, symbols, done, count, &bits) - out);
}
#pragma clang attribute pop
#endif
