// Coded parts of 16 bits to bytes of symbols and raw values, and back.
#ifndef SWZIP_FLOAT_AVX2_H
#define SWZIP_FLOAT_AVX2_H
#include "vector_avx2.h"
#include "float.h"

// 32 fields and raw values of 16-bit coded parts in x, y. Returns what is nonzero where a field has no symbol.
INLINE vec split16(unsigned raw_bits, bool rotates, vec x, vec y, vec base, vec *symbols, vec *raw_low, vec *raw_high) {
  const vec zero = _mm256_setzero_si256(), mask = _mm256_set1_epi16((short)((1 << raw_bits) - 1));
  if (rotates) {
    x = _mm256_or_si256(_mm256_slli_epi16(x, 1), _mm256_srli_epi16(x, 15));
    y = _mm256_or_si256(_mm256_slli_epi16(y, 1), _mm256_srli_epi16(y, 15));
  }
  vec f = _mm256_srli_epi16(x, (int)raw_bits), g = _mm256_srli_epi16(y, (int)raw_bits), outside = zero;
  if (raw_bits == 7 || raw_bits == 6) {
    const vec s = _mm256_subs_epu16(f, base), t = _mm256_subs_epu16(g, base);
    outside = _mm256_or_si256(_mm256_andnot_si256(_mm256_cmpeq_epi16(f, zero), _mm256_cmpeq_epi16(s, zero)),
                              _mm256_andnot_si256(_mm256_cmpeq_epi16(g, zero), _mm256_cmpeq_epi16(t, zero)));
    outside = _mm256_or_si256(outside, _mm256_cmpgt_epi16(_mm256_max_epi16(s, t), _mm256_set1_epi16(255)));
    f = s;
    g = t;
  }
  *symbols = LANES(_mm256_packus_epi16(f, g));
  x = _mm256_and_si256(x, mask);
  y = _mm256_and_si256(y, mask);
  if (raw_bits >= 9) {
    *raw_high = LANES(_mm256_packus_epi16(_mm256_srli_epi16(x, 8), _mm256_srli_epi16(y, 8)));
    x = _mm256_and_si256(x, _mm256_set1_epi16(255));
    y = _mm256_and_si256(y, _mm256_set1_epi16(255));
  }
  *raw_low = LANES(_mm256_packus_epi16(x, y));
  return outside;
}

// 32 coded parts of 16 bits from symbol bytes and raw bytes, in two vectors in order.
INLINE void weave16(swzip_float_kind kind, vec symbols, vec raw, vec base, vec *x, vec *y) {
  symbols = LANES(symbols);
  raw = LANES(raw);
  const vec u = _mm256_unpacklo_epi8(raw, symbols), v = _mm256_unpackhi_epi8(raw, symbols);
  if (float_traits[kind].raw_bits == 7) {
    // u = symbol << 8 | raw << 1: exponent and mantissa are u >> 2 plus the base unless the symbol is 0, sign is bit 1
    const vec none = _mm256_set1_epi16(63);
    const vec p = _mm256_srli_epi16(u, 2), q = _mm256_srli_epi16(v, 2);
    *x = _mm256_or_si256(_mm256_add_epi16(p, _mm256_and_si256(base, _mm256_cmpgt_epi16(p, none))), _mm256_slli_epi16(u, 14));
    *y = _mm256_or_si256(_mm256_add_epi16(q, _mm256_and_si256(base, _mm256_cmpgt_epi16(q, none))), _mm256_slli_epi16(v, 14));
  } else if (float_is_unsigned(kind)) {
    // u = symbol << 8 | raw << 2, no sign
    const vec none = _mm256_set1_epi16(63);
    const vec p = _mm256_srli_epi16(u, 2), q = _mm256_srli_epi16(v, 2);
    *x = _mm256_add_epi16(p, _mm256_and_si256(base, _mm256_cmpgt_epi16(p, none)));
    *y = _mm256_add_epi16(q, _mm256_and_si256(base, _mm256_cmpgt_epi16(q, none)));
  } else if (float_traits[kind].raw_bits == 6) {
    // the same with u = symbol << 8 | raw << 2
    const vec none = _mm256_set1_epi16(31), sign = _mm256_set1_epi16((short)0x8000);
    const vec p = _mm256_srli_epi16(u, 3), q = _mm256_srli_epi16(v, 3);
    *x = _mm256_or_si256(_mm256_add_epi16(p, _mm256_and_si256(base, _mm256_cmpgt_epi16(p, none))),
                         _mm256_and_si256(_mm256_slli_epi16(u, 13), sign));
    *y = _mm256_or_si256(_mm256_add_epi16(q, _mm256_and_si256(base, _mm256_cmpgt_epi16(q, none))),
                         _mm256_and_si256(_mm256_slli_epi16(v, 13), sign));
  } else {
    *x = _mm256_or_si256(_mm256_srli_epi16(u, 1), _mm256_slli_epi16(u, 15));
    *y = _mm256_or_si256(_mm256_srli_epi16(v, 1), _mm256_slli_epi16(v, 15));
  }
}
#endif
