// AVX-512: differences of values of two bytes, 32 a vector. Gives what delta.c gives.
#if defined(__x86_64__)
#include "vector_avx512.h"
#include "delta.h"

enum { token_bits = 3, least_low = 1 << token_bits };

// To and from the order of numbers.
INLINE vec reorder(vec v) {
  return _mm512_xor_si512(v, _mm512_and_si512(_mm512_srai_epi16(v, 15), _mm512_set1_epi16(0x7FFF)));
}

INLINE vec differences(const uint8_t *values, const uint8_t *base, bool is_float) {
  const vec v = LOAD(values), b = LOAD(base);
  if (!is_float) return _mm512_sub_epi16(v, b);
  const vec sign = _mm512_and_si512(b, _mm512_set1_epi16((short)0x8000));
  return _mm512_sub_epi16(reorder(_mm512_xor_si512(v, sign)), _mm512_xor_si512(b, sign));
}

// How many low bits the magnitudes of tokens have.
INLINE vec low_counts(vec token) { return _mm512_subs_epu16(_mm512_srli_epi16(token, token_bits), _mm512_set1_epi16(1)); }

INLINE vec load_symbols(const uint8_t *symbols) { return _mm512_cvtepu8_epi16(LOAD_HALF(symbols)); }

size_t swzip_delta_symbols_halves(bool is_float, const uint8_t *values, const uint8_t *base, size_t count,
                                  uint8_t *symbols) {
  size_t i = 0;
  for (; i + 32 <= count; i += 32) {
    const vec g = differences(values + 2 * i, base + 2 * i, is_float), a = _mm512_abs_epi16(g);
    // All bits below the highest are set, and counted.
    vec filled = _mm512_or_si512(a, _mm512_srli_epi16(a, 1));
    filled = _mm512_or_si512(filled, _mm512_srli_epi16(filled, 2));
    filled = _mm512_or_si512(filled, _mm512_srli_epi16(filled, 4));
    filled = _mm512_or_si512(filled, _mm512_srli_epi16(filled, 8));
    // A magnitude of n bits has n - 4 low ones. The four above them have a one in front, which counts for the first step.
    const vec low = _mm512_subs_epu16(_mm512_popcnt_epi16(filled), _mm512_set1_epi16(token_bits + 1));
    const vec token = _mm512_add_epi16(_mm512_slli_epi16(low, token_bits), _mm512_srlv_epi16(a, low));
    const __m256i bytes = _mm512_cvtepi16_epi8(token), negative = _mm256_movm_epi8(_mm512_movepi16_mask(g));
    STORE_HALF(symbols + i, _mm256_or_si256(bytes, _mm256_and_si256(negative, _mm256_set1_epi8((char)0x80))));
  }
  return i;
}

// Joins neighbours: the second of each two goes behind the bits of the first.
INLINE vec join(vec bits, vec counts, int width, vec *sums) {
  if (width == 16) {
    const vec low = _mm512_set1_epi32(0xFFFF), first = _mm512_and_si512(counts, low);
    *sums = _mm512_add_epi32(first, _mm512_srli_epi32(counts, 16));
    return _mm512_or_si512(_mm512_and_si512(bits, low), _mm512_sllv_epi32(_mm512_srli_epi32(bits, 16), first));
  }
  const vec low = _mm512_set1_epi64(0xFFFFFFFF), first = _mm512_and_si512(counts, low);
  *sums = _mm512_add_epi64(first, _mm512_srli_epi64(counts, 32));
  return _mm512_or_si512(_mm512_and_si512(bits, low), _mm512_sllv_epi64(_mm512_srli_epi64(bits, 32), first));
}

size_t swzip_delta_low_bits_halves(bool is_float, const uint8_t *values, const uint8_t *base, const uint8_t *symbols,
                                   size_t count, delta_bits *bits) {
  size_t i = 0;
  for (; i + 32 <= count; i += 32) {
    const vec low = low_counts(_mm512_and_si512(load_symbols(symbols + i), _mm512_set1_epi16(127)));
    if (!_mm512_test_epi16_mask(low, low)) continue;
    const vec a = _mm512_abs_epi16(differences(values + 2 * i, base + 2 * i, is_float));
    const vec rest = _mm512_andnot_si512(_mm512_sllv_epi16(_mm512_set1_epi16(-1), low), a);
    // Four values make a number of 48 bits at most.
    vec sums;
    vec joined = join(rest, low, 16, &sums);
    joined = join(joined, sums, 32, &sums);
    vec end = _mm512_add_epi64(sums, _mm512_maskz_alignr_epi64(0xFE, sums, sums, 7));
    end = _mm512_add_epi64(end, _mm512_maskz_alignr_epi64(0xFC, end, end, 6));
    end = _mm512_add_epi64(end, _mm512_maskz_alignr_epi64(0xF0, end, end, 4));
    const unsigned total = (unsigned)_mm_extract_epi64(_mm512_extracti64x2_epi64(end, 3), 1);
    if (total <= 56) {
      const vec moved = _mm512_sllv_epi64(joined, _mm512_sub_epi64(end, sums));
      delta_append(bits, (uint64_t)_mm512_reduce_or_epi64(moved), total);
    } else {
      uint64_t each[8], counts[8];
      STORE(each, joined);
      STORE(counts, sums);
      for (int j = 0; j < 8; j++) delta_append(bits, each[j], (unsigned)counts[j]);
    }
  }
  return i;
}

// Sums up to each of 32 numbers.
INLINE vec running_sum(vec v) {
  v = _mm512_add_epi16(v, _mm512_bslli_epi128(v, 2));
  v = _mm512_add_epi16(v, _mm512_bslli_epi128(v, 4));
  v = _mm512_add_epi16(v, _mm512_bslli_epi128(v, 8));
  // What the quarters before each have in all.
  const vec last = _mm512_shuffle_epi8(v, _mm512_set1_epi16(0x0F0E));
  vec sum = _mm512_add_epi16(last, _mm512_maskz_shuffle_i64x2(0xFC, last, last, 0x90));
  sum = _mm512_add_epi16(sum, _mm512_maskz_shuffle_i64x2(0xF0, sum, sum, 0x40));
  return _mm512_add_epi16(v, _mm512_maskz_shuffle_i64x2(0xFC, sum, sum, 0x90));
}

// 16 bits from each of 32 places in 64 bytes; a place and its bits end there.
INLINE vec windows(vec bytes, vec place) {
  const vec byte = _mm512_srli_epi16(place, 3);
  const vec at = _mm512_add_epi8(_mm512_or_si512(byte, _mm512_slli_epi16(byte, 8)), _mm512_set1_epi16(0x0100));
  const vec two = _mm512_permutexvar_epi8(at, bytes);
  const vec next = _mm512_permutexvar_epi8(_mm512_add_epi8(at, _mm512_set1_epi8(2)), bytes);
  return _mm512_shrdv_epi16(two, next, _mm512_and_si512(place, _mm512_set1_epi16(7)));
}

size_t swzip_delta_apply_halves(bool is_float, const uint8_t *symbols, const uint8_t *bits, size_t bit_count,
                                const uint8_t *base, size_t count, uint8_t *out, size_t *at) {
  const vec seven = _mm512_set1_epi16(127), ones = _mm512_set1_epi16(-1);
  size_t next = *at, i = 0;
  for (; i + 32 <= count; i += 32) {
    const vec symbol = load_symbols(symbols + i), token = _mm512_and_si512(symbol, seven);
    vec magnitude = token;
    if (_mm512_cmpge_epu16_mask(token, _mm512_set1_epi16(least_low))) {
      const vec low = low_counts(token), sum = running_sum(low);
      const unsigned total = (unsigned)_mm_extract_epi16(_mm512_extracti32x4_epi32(sum, 3), 7);
      if (total > bit_count - next) break;
      const vec place = _mm512_add_epi16(_mm512_sub_epi16(sum, low), _mm512_set1_epi16((short)(next & 7)));
      const vec rest = _mm512_andnot_si512(_mm512_sllv_epi16(ones, low), windows(LOAD(bits + next / 8), place));
      // The token without what says how many low bits there are.
      const vec top = _mm512_sub_epi16(token, _mm512_slli_epi16(low, token_bits));
      magnitude = _mm512_add_epi16(_mm512_sllv_epi16(top, low), rest);
      next += total;
    }
    const vec negative = _mm512_srai_epi16(_mm512_slli_epi16(symbol, 8), 15);
    const vec g = _mm512_sub_epi16(_mm512_xor_si512(magnitude, negative), negative), b = LOAD(base + 2 * i);
    if (is_float) {
      const vec sign = _mm512_and_si512(b, _mm512_set1_epi16((short)0x8000));
      const vec y = _mm512_add_epi16(_mm512_xor_si512(b, sign), g);
      STORE(out + 2 * i, _mm512_xor_si512(reorder(y), sign));
    } else {
      STORE(out + 2 * i, _mm512_add_epi16(b, g));
    }
  }
  *at = next;
  return i;
}
#pragma clang attribute pop
#endif
