// What groups with a scale and an offset and super-blocks of them share.
#ifndef SWZIP_LATTICE_PAIR_H
#define SWZIP_LATTICE_PAIR_H
#include "lattice_search.h"

/// How many values scale and offset do not give.
INLINE uint32_t pair_misses(swzip_lattice_type type, const uint8_t *values, uint32_t count, const uint8_t *code, float scale, float offset) {
  uint32_t misses = 0;
  for (uint32_t i = 0; i < count; i++) {
    uint32_t bits;
    lattice_read(type, values, i, &bits);
    misses += lattice_round(type, lattice_value(code[i], scale, offset, 0, 1)) != bits;
  }
  return misses;
}

/// Numbers of F16 from `low` to `high`, at most `most`, from the middle outwards.
INLINE uint32_t halves(double low, double high, uint32_t most, float *out) {
  const double middle = (low + high) / 2;
  const uint16_t start = round_f16((float)middle);
  uint32_t found = 0;
  for (int32_t step = 0; step < 256 && found < most; step++) {
    bool any = step == 0;
    for (int side = step ? 0 : 1; side < 2 && found < most; side++) {
      const int32_t half = (start & 0x7FFF) + (side ? step : -step);
      if (half < 0 || half >= 0x7C00) continue;
      const float v = lattice_half((uint16_t)(half | (start & 0x8000)));
      if ((double)v < low || (double)v > high) continue;
      out[found++] = v;
      any = true;
    }
    if (!any && step > 1) break;
  }
  return found;
}
#endif
