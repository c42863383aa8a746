// What looking for codes and for scales share: values read and rounded, and the nearest code.
#ifndef SWZIP_LATTICE_SEARCH_H
#define SWZIP_LATTICE_SEARCH_H
#include <math.h>

#include "float_environment.h"
#include "lattice.h"

INLINE uint32_t lattice_ordered(float v) {
  const uint32_t u = float_bits(v);
  return u & 0x80000000 ? ~u : u | 0x80000000;
}

/// The number, in ascending order, of a code nearest to x.
INLINE uint32_t lattice_nearest(const swzip_lattice_search *s, float x) {
  if (s->is_integers) {
    const float from = x - s->code[0], last = (float)(s->count - 1);
    return (uint32_t)((from > 0 ? from < last ? from : last : 0) + 0.5f);
  }
  uint32_t at = s->bucket[lattice_ordered(x) >> 18];
  while (at + 1 < s->count && x > s->middle[at]) at++;
  return at;
}

INLINE float lattice_read(swzip_lattice_type type, const uint8_t *values, size_t i, uint32_t *bits) {
  switch (type) {
    case SWZIP_LATTICE_BF16: return *bits = load16(values + 2 * i), bits_float(*bits << 16);
    case SWZIP_LATTICE_F16: {
      const uint32_t h = *bits = load16(values + 2 * i), sign = (h & 0x8000) << 16;
      const uint32_t exponent = h >> 10 & 31, mantissa = h & 0x3FF;
      if (exponent == 31) return bits_float(sign | 0x7F800000 | mantissa << 13);
      if (exponent) return bits_float(sign | (exponent + 112) << 23 | mantissa << 13);
      return bits_float(sign | float_bits((float)mantissa * 0x1p-24f));
    }
    default: return bits_float(*bits = load32(values + 4 * i));
  }
}

/// The nearest whole number, as the default environment rounds.
INLINE double lattice_whole(double x) { return fabs(x) < 0x1p51 ? (x + 0x1.8p52) - 0x1.8p52 : x; }

// Without branches.
INLINE float lattice_half(uint16_t half) {
  const uint32_t sign = (uint32_t)(half & 0x8000) << 16, rest = half & 0x7FFF;
  const uint32_t normal = (rest << 13) + (112u << 23), small = float_bits((float)rest * 0x1p-24f);
  return bits_float(sign | (rest < 0x400 ? small : rest < 0x7C00 ? normal : normal + (112u << 23)));
}

INLINE uint32_t lattice_round(swzip_lattice_type type, float v) {
  return type == SWZIP_LATTICE_BF16 ? round_bf16(v) : type == SWZIP_LATTICE_F16 ? round_f16(v) : float_bits(v);
}
#endif
