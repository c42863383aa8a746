// AVX2: differences to a base, eight values a vector of 32 bits, for values of 1, 2 and 4 bytes. Gives what delta.c gives.
#if defined(__x86_64__)
#include "vector_avx2.h"
#include "delta.h"

INLINE vec load_values(const uint8_t *p, unsigned width) {
  return width == 1   ? _mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)p))
         : width == 2 ? _mm256_cvtepu16_epi32(_mm_loadu_si128((const void *)p))
                      : LOAD(p);
}
// Eight numbers below 2^16.
INLINE __m128i pack16(vec v) { return _mm_packus_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1)); }
INLINE void store_bytes(uint8_t *p, vec v) { _mm_storel_epi64((void *)p, _mm_packus_epi16(pack16(v), _mm_setzero_si128())); }
INLINE void store_values(uint8_t *p, vec v, unsigned width) {
  if (width == 1) store_bytes(p, v);
  else if (width == 2) _mm_storeu_si128((void *)p, pack16(v));
  else STORE(p, v);
}
// Sign-extends the low `width` bytes.
INLINE vec widen(vec v, unsigned width) {
  const int shift = (int)(32 - 8 * width);
  return _mm256_srai_epi32(_mm256_slli_epi32(v, shift), shift);
}
// To and from the order of numbers.
INLINE vec reorder(vec v, uint32_t sign) {
  return _mm256_xor_si256(v, _mm256_and_si256(_mm256_srai_epi32(v, 31), _mm256_set1_epi32((int)(sign - 1))));
}

// ---------------------------------------------------------------- encoding

INLINE vec differences(const uint8_t *values, const uint8_t *base, unsigned width, uint32_t sign) {
  const vec signs = _mm256_set1_epi32((int)sign), b = load_values(base, width);
  vec u = _mm256_xor_si256(load_values(values, width), _mm256_and_si256(b, signs));
  if (sign) u = reorder(widen(u, width), sign);
  return widen(_mm256_sub_epi32(u, _mm256_andnot_si256(signs, b)), width);
}

INLINE void symbols_of(const uint8_t *values, const uint8_t *base, size_t groups, unsigned width, uint32_t sign,
                       uint8_t *symbols) {
  const int k = (int)delta_token_bits(width);
  const vec none = _mm256_set1_epi32(-1);
  for (size_t i = 0; i < groups; i++) {
    const vec g = differences(values + 8 * i * width, base + 8 * i * width, width, sign), a = _mm256_abs_epi32(g);
    // The place of the highest bit by way of a float; what could round up to the next power goes first. 2^31 has a sign.
    const vec kept = _mm256_andnot_si256(_mm256_srli_epi32(a, 8), a);
    const vec exponent =
        _mm256_and_si256(_mm256_srli_epi32(_mm256_castps_si256(_mm256_cvtepi32_ps(kept)), 23), _mm256_set1_epi32(255));
    const vec low = _mm256_max_epi32(_mm256_sub_epi32(exponent, _mm256_set1_epi32(127 + k)), none);
    const vec behind = _mm256_and_si256(_mm256_srlv_epi32(a, low), _mm256_set1_epi32((1 << k) - 1));
    const vec large = _mm256_or_si256(_mm256_slli_epi32(_mm256_sub_epi32(low, none), k), behind);
    const vec token = _mm256_blendv_epi8(a, large, _mm256_cmpgt_epi32(low, none));
    store_bytes(symbols + 8 * i,
                _mm256_or_si256(token, _mm256_and_si256(_mm256_srli_epi32(g, 24), _mm256_set1_epi32(128))));
  }
}

void swzip_delta_symbols_avx2(const swzip_delta_kind *kind, const void *values, const void *base, size_t count,
                              uint8_t *symbols) {
  const size_t groups = kind->width < 8 ? count / 8 : 0;
#define SYMBOLS(w, s) symbols_of(values, base, groups, w, s, symbols)
  if (kind->width == 1) kind->is_float ? SYMBOLS(1, 0x80) : SYMBOLS(1, 0);
  if (kind->width == 2) kind->is_float ? SYMBOLS(2, 0x8000) : SYMBOLS(2, 0);
  if (kind->width == 4) kind->is_float ? SYMBOLS(4, 0x80000000u) : SYMBOLS(4, 0);
#undef SYMBOLS
  const size_t done = 8 * groups, bytes = done * kind->width;
  swzip_delta_symbols_portable(kind, (const uint8_t *)values + bytes, (const uint8_t *)base + bytes, count - done,
                               symbols + done);
}

// Numbers of low bits of eight symbols.
INLINE vec low_counts(vec token, unsigned k) {
  return _mm256_subs_epu16(_mm256_srli_epi32(token, (int)k), _mm256_set1_epi32(1));
}
// Sums up to each of eight numbers.
INLINE vec running_sum(vec v) {
  v = _mm256_add_epi32(v, _mm256_slli_si256(v, 4));
  v = _mm256_add_epi32(v, _mm256_slli_si256(v, 8));
  const vec half = _mm256_permutevar8x32_epi32(v, _mm256_set1_epi32(3));
  return _mm256_add_epi32(v, _mm256_blend_epi32(_mm256_setzero_si256(), half, 0xF0));
}

INLINE vec quads(__m128i v, __m128i by) { return _mm256_sllv_epi64(_mm256_cvtepu32_epi64(v), _mm256_cvtepu32_epi64(by)); }

INLINE void low_bits_of(const uint8_t *values, const uint8_t *base, const uint8_t *symbols, size_t groups,
                        unsigned width, uint32_t sign, delta_bits *bits) {
  const unsigned k = delta_token_bits(width);
  for (size_t i = 0; i < groups; i++) {
    const __m128i eight = _mm_loadl_epi64((const void *)(symbols + 8 * i));
    const vec low = low_counts(_mm256_and_si256(_mm256_cvtepu8_epi32(eight), _mm256_set1_epi32(127)), k);
    if (_mm256_testz_si256(low, low)) continue;
    const vec a = _mm256_abs_epi32(differences(values + 8 * i * width, base + 8 * i * width, width, sign));
    const vec rest = _mm256_andnot_si256(_mm256_sllv_epi32(_mm256_set1_epi32(-1), low), a);
    const vec sum = running_sum(low), place = _mm256_sub_epi32(sum, low);
    const unsigned total = (unsigned)_mm256_extract_epi32(sum, 7);
    if (total <= 56) {
      const vec joined = _mm256_or_si256(quads(_mm256_castsi256_si128(rest), _mm256_castsi256_si128(place)),
                                         quads(_mm256_extracti128_si256(rest, 1), _mm256_extracti128_si256(place, 1)));
      const __m128i two = _mm_or_si128(_mm256_castsi256_si128(joined), _mm256_extracti128_si256(joined, 1));
      delta_append(bits, (uint64_t)_mm_cvtsi128_si64(two) | (uint64_t)_mm_extract_epi64(two, 1), total);
    } else {
      uint32_t each[8], counts[8];
      STORE(each, rest);
      STORE(counts, low);
      for (int j = 0; j < 8; j++) delta_append(bits, each[j], counts[j]);
    }
  }
}

size_t swzip_delta_low_bits_avx2(const swzip_delta_kind *kind, const void *values, const void *base,
                                 const uint8_t *symbols, size_t count, uint8_t *out) {
  const size_t groups = kind->width < 8 ? count / 8 : 0;
  delta_bits bits = {out, 0, 0};
#define LOW_BITS(w, s) low_bits_of(values, base, symbols, groups, w, s, &bits)
  if (kind->width == 1) kind->is_float ? LOW_BITS(1, 0x80) : LOW_BITS(1, 0);
  if (kind->width == 2) kind->is_float ? LOW_BITS(2, 0x8000) : LOW_BITS(2, 0);
  if (kind->width == 4) kind->is_float ? LOW_BITS(4, 0x80000000u) : LOW_BITS(4, 0);
#undef LOW_BITS
  return (size_t)(swzip_delta_low_bits_from(kind, values, base, symbols, 8 * groups, count, &bits) - out);
}

// ---------------------------------------------------------------- contexts

// The exponents of 32 values.
INLINE vec exponents(const uint8_t *p, unsigned width, __m128i shift, vec mask) {
  if (width == 1) return _mm256_and_si256(_mm256_srl_epi16(LOAD(p), shift), mask);
  if (width == 2) {
    const vec a = _mm256_srl_epi16(LOAD(p), shift), b = _mm256_srl_epi16(LOAD(p + 32), shift);
    const vec low = _mm256_set1_epi16(255);
    return _mm256_and_si256(LANES(_mm256_packus_epi16(_mm256_and_si256(a, low), _mm256_and_si256(b, low))), mask);
  }
  vec v[4];
  for (int i = 0; i < 4; i++) v[i] = _mm256_and_si256(_mm256_srl_epi32(LOAD(p + 32 * i), shift), _mm256_set1_epi32(255));
  const vec ab = _mm256_packus_epi32(v[0], v[1]), cd = _mm256_packus_epi32(v[2], v[3]);
  return _mm256_and_si256(
      _mm256_permutevar8x32_epi32(_mm256_packus_epi16(ab, cd), _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7)), mask);
}

INLINE size_t numbers_of(const uint8_t *base, size_t count, unsigned width, unsigned shift, unsigned mask, unsigned top,
                         unsigned contexts, const uint8_t *map, uint8_t *numbers) {
  const vec tops = _mm256_set1_epi8((char)top), most = _mm256_set1_epi8((char)(contexts - 1));
  const vec low = _mm256_broadcastsi128_si256(_mm_loadu_si128((const void *)map));
  const vec high = _mm256_broadcastsi128_si256(_mm_loadu_si128((const void *)(map + 16)));
  const __m128i by = _mm_cvtsi32_si128((int)shift);
  size_t i = 0;
  for (; i + 32 <= count; i += 32) {
    const vec e = exponents(base + i * width, width, by, _mm256_set1_epi8((char)mask));
    const vec context = _mm256_min_epu8(_mm256_subs_epu8(tops, e), most);
    const vec is_high = _mm256_slli_epi16(context, 3);  // bit 4 to bit 7; contexts are below 32
    STORE(numbers + i, _mm256_blendv_epi8(_mm256_shuffle_epi8(low, context), _mm256_shuffle_epi8(high, context), is_high));
  }
  return i;
}

void swzip_delta_numbers_avx2(const swzip_delta_kind *kind, const void *base, size_t count, unsigned top,
                              unsigned contexts, const uint8_t map[32], uint8_t *numbers) {
  const unsigned shift = kind->exponent_shift, mask = kind->exponent_mask;
  size_t done = 0;
  switch (kind->width) {
    case 1: done = numbers_of(base, count, 1, shift, mask, top, contexts, map, numbers); break;
    case 2: done = numbers_of(base, count, 2, shift, mask, top, contexts, map, numbers); break;
    case 4: done = numbers_of(base, count, 4, shift, mask, top, contexts, map, numbers); break;
    default: break;
  }
  swzip_delta_numbers_portable(kind, (const uint8_t *)base + done * kind->width, count - done, top, contexts, map,
                               numbers + done);
}

// ---------------------------------------------------------------- decoding

// 32 bits from each of eight places.
INLINE vec gather(const uint8_t *bits, vec place) {
  const vec byte = _mm256_srli_epi32(place, 3), within = _mm256_and_si256(place, _mm256_set1_epi32(7));
  vec v[2];
  for (int i = 0; i < 2; i++) {
    const __m128i at = i ? _mm256_extracti128_si256(byte, 1) : _mm256_castsi256_si128(byte);
    const __m128i by = i ? _mm256_extracti128_si256(within, 1) : _mm256_castsi256_si128(within);
    const vec in = _mm256_i32gather_epi64((const void *)bits, at, 1);
    v[i] = _mm256_srlv_epi64(in, _mm256_cvtepu32_epi64(by));
  }
  const vec joined = _mm256_castps_si256(_mm256_shuffle_ps(_mm256_castsi256_ps(v[0]), _mm256_castsi256_ps(v[1]), 0x88));
  return LANES(joined);
}

// The values at differences from the base.
INLINE vec moved(vec b, vec symbol, vec magnitude, unsigned width, uint32_t sign) {
  const vec signs = _mm256_set1_epi32((int)sign);
  const vec negative = _mm256_srai_epi32(_mm256_slli_epi32(symbol, 24), 31);
  const vec g = _mm256_sub_epi32(_mm256_xor_si256(magnitude, negative), negative);
  vec y = _mm256_add_epi32(_mm256_andnot_si256(signs, b), g);
  if (sign) y = _mm256_xor_si256(reorder(widen(y, width), sign), _mm256_and_si256(b, signs));
  return width < 4 ? _mm256_and_si256(y, _mm256_set1_epi32((1 << 8 * (width & 3)) - 1)) : y;
}

// 32 values whose tokens are their magnitudes. Those of two bytes fill 16 lanes.
INLINE void apply_small(const uint8_t *symbols, const uint8_t *base, unsigned width, uint32_t sign, uint8_t *out) {
  if (width != 2) {
    for (unsigned j = 0; j < 32; j += 8) {
      const vec symbol = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)(symbols + j)));
      const vec magnitude = _mm256_and_si256(symbol, _mm256_set1_epi32(127));
      store_values(out + j * width, moved(load_values(base + j * width, width), symbol, magnitude, width, sign), width);
    }
    return;
  }
  const vec signs = _mm256_set1_epi16((short)sign);
  for (unsigned j = 0; j < 32; j += 16) {
    const vec symbol = _mm256_cvtepu8_epi16(_mm_loadu_si128((const void *)(symbols + j))), b = LOAD(base + 2 * j);
    const vec negative = _mm256_srai_epi16(_mm256_slli_epi16(symbol, 8), 15);
    const vec magnitude = _mm256_and_si256(symbol, _mm256_set1_epi16(127));
    const vec g = _mm256_sub_epi16(_mm256_xor_si256(magnitude, negative), negative);
    vec y = _mm256_add_epi16(_mm256_andnot_si256(signs, b), g);
    if (sign) {
      y = _mm256_xor_si256(y, _mm256_and_si256(_mm256_srai_epi16(y, 15), _mm256_set1_epi16((short)(sign - 1))));
      y = _mm256_xor_si256(y, _mm256_and_si256(b, signs));
    }
    STORE(out + 2 * j, y);
  }
}

// Applies groups of 32 values and returns how many values are done: all whole groups, or those before the one whose low
// bits are more than there are.
INLINE size_t apply_by(const uint8_t *symbols, const uint8_t *bits, size_t bit_count, const uint8_t *base, size_t count,
                       unsigned width, uint32_t sign, uint8_t *out, size_t *at) {
  const unsigned k = delta_token_bits(width);
  const vec ones = _mm256_set1_epi32(-1);
  size_t next = *at, i = 0;
  for (; i + 32 <= count; i += 32) {
    const vec all = LOAD(symbols + i);
    // Differences of few units have no low bits.
    if (_mm256_testz_si256(all, _mm256_set1_epi8((char)(127 - ((1 << k) - 1))))) {
      apply_small(symbols + i, base + i * width, width, sign, out + i * width);
      continue;
    }
    const size_t before = next;
    for (unsigned j = 0; j < 32; j += 8) {
      const vec symbol = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)(symbols + i + j)));
      const vec token = _mm256_and_si256(symbol, _mm256_set1_epi32(127));
      const vec low = low_counts(token, k), one = _mm256_set1_epi32(1 << k);
      const vec leading = _mm256_andnot_si256(_mm256_cmpgt_epi32(one, token), one);
      const vec top = _mm256_or_si256(_mm256_and_si256(token, _mm256_set1_epi32((1 << k) - 1)), leading);
      // Where each value's low bits begin: the sum of those before.
      const vec sum = running_sum(low);
      const unsigned total = (unsigned)_mm256_extract_epi32(sum, 7);
      const unsigned within = (unsigned)(next & 7);
      const vec place = _mm256_add_epi32(_mm256_sub_epi32(sum, low), _mm256_set1_epi32((int)within));
      if (total > bit_count - next) {
        *at = before;
        return i;
      }
      vec rest;
      if (within + total <= 32) {
        rest = _mm256_srlv_epi32(_mm256_set1_epi32((int)load32(bits + next / 8)), place);
      } else {
        rest = gather(bits + next / 8, place);
      }
      rest = _mm256_andnot_si256(_mm256_sllv_epi32(ones, low), rest);
      const vec magnitude = _mm256_add_epi32(_mm256_sllv_epi32(top, low), rest);
      const vec b = load_values(base + (i + j) * width, width);
      store_values(out + (i + j) * width, moved(b, symbol, magnitude, width, sign), width);
      next += total;
    }
  }
  *at = next;
  return i;
}

size_t swzip_delta_apply_avx2(const swzip_delta_kind *kind, const uint8_t *symbols, const uint8_t *bits,
                              size_t byte_count, const void *base, size_t count, void *out) {
  const unsigned width = kind->width;
  size_t done = 0, at = 0;
#define APPLY(w, s) apply_by(symbols, bits, 8 * byte_count, base, count, w, s, out, &at)
  if (width == 1) done = kind->is_float ? APPLY(1, 0x80) : APPLY(1, 0);
  if (width == 2) done = kind->is_float ? APPLY(2, 0x8000) : APPLY(2, 0);
  if (width == 4) done = kind->is_float ? APPLY(4, 0x80000000u) : APPLY(4, 0);
#undef APPLY
  const bool good = swzip_delta_apply_from(kind, symbols, bits, 8 * byte_count, base, done, count, out, &at);
  return good ? (at + 7) / 8 : byte_count + 1;
}
#pragma clang attribute pop
#endif
