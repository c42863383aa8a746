// The float kinds by numbers (spec/codecs/float.md), and how one raw value lies in the raw plane.
#ifndef SWZIP_FLOAT_H
#define SWZIP_FLOAT_H
#include "kernels.h"

typedef struct {
  uint8_t width;         // bytes a value
  uint8_t coded_bits;    // W
  uint8_t raw_bits;      // R
  uint8_t shift;         // where the merge wants symbols: above the raw bits of the top byte
} swzip_float_traits;

static const swzip_float_traits float_traits[] = {
    [SWZIP_BF16_J0] = {2, 16, 8, 0}, [SWZIP_BF16_J1] = {2, 16, 7, 0}, [SWZIP_F16_J1] = {2, 16, 10, 2},
    [SWZIP_E4M3_J1] = {1, 8, 3, 3},  [SWZIP_E5M2_J1] = {1, 8, 2, 2},  [SWZIP_F32_J0] = {4, 16, 8, 0},
    [SWZIP_F32_J1] = {4, 16, 7, 0},  [SWZIP_BF16_J2] = {2, 16, 6, 0}, [SWZIP_F16_J2] = {2, 16, 9, 1},
    [SWZIP_F32_J2] = {4, 16, 6, 0},  [SWZIP_BF16_U1] = {2, 16, 6, 0}, [SWZIP_F32_U1] = {4, 16, 6, 0},
};

// The sign stays on top where it is always zero.
INLINE bool float_is_unsigned(swzip_float_kind kind) { return kind == SWZIP_BF16_U1 || kind == SWZIP_F32_U1; }

INLINE unsigned float_rotate(swzip_float_kind kind, unsigned value) {
  if (float_is_unsigned(kind)) return value;
  return float_traits[kind].coded_bits == 16 ? (value << 1 | value >> 15) & 0xFFFF : (value << 1 | value >> 7) & 0xFF;
}
INLINE unsigned float_unrotate(swzip_float_kind kind, unsigned rotated) {
  if (float_is_unsigned(kind)) return rotated & 0xFFFF;
  return float_traits[kind].coded_bits == 16 ? (rotated >> 1 | rotated << 15) & 0xFFFF
                                             : (rotated >> 1 | rotated << 7) & 0xFF;
}

// Raw bits of value i (0 to 255) of a unit.
INLINE unsigned raw_get(unsigned raw_bits, const uint8_t *unit, unsigned i) {
  const unsigned row = i / 32, column = i % 32;
  unsigned v = 0;
  switch (raw_bits) {
    case 8: return unit[i];
    case 7:
      if (row < 7) return unit[i] >> 1;
      for (unsigned k = 0; k < 7; k++) v |= (unit[32 * k + column] & 1u) << k;
      return v;
    case 6: {
      const uint8_t *const half = unit + 96 * (row / 4);
      if (row % 4 < 3) return half[32 * (row % 4) + column] >> 2;
      for (unsigned k = 0; k < 3; k++) v |= (half[32 * k + column] & 3u) << 2 * k;
      return v;
    }
    case 9: return unit[32 + i] | (unit[column] >> row & 1u) << 8;
    case 10: {
      const uint8_t *const half = unit + 160 * (row / 4);
      return half[32 + 32 * (row % 4) + column] | (half[column] >> 2 * (row % 4) & 3u) << 8;
    }
    case 3:
      if (row < 3) return unit[32 * row + column] & 7u;
      if (row < 6) return unit[32 * (row - 3) + column] >> 3 & 7u;
      for (unsigned k = 0; k < 3; k++) v |= (unit[32 * k + column] >> row & 1u) << k;
      return v;
    default: return unit[i % 64] >> 2 * (i / 64) & 3u;
  }
}

// Adds the raw bits of value i to a unit that was zero before.
INLINE void raw_put(unsigned raw_bits, uint8_t *unit, unsigned i, unsigned raw) {
  const unsigned row = i / 32, column = i % 32;
  switch (raw_bits) {
    case 8: unit[i] = (uint8_t)raw; break;
    case 7:
      if (row < 7) unit[i] = (uint8_t)(unit[i] | raw << 1);
      else for (unsigned k = 0; k < 7; k++) unit[32 * k + column] |= (uint8_t)(raw >> k & 1);
      break;
    case 6: {
      uint8_t *const half = unit + 96 * (row / 4);
      if (row % 4 < 3) half[32 * (row % 4) + column] |= (uint8_t)(raw << 2);
      else for (unsigned k = 0; k < 3; k++) half[32 * k + column] |= (uint8_t)(raw >> 2 * k & 3);
      break;
    }
    case 9:
      unit[32 + i] = (uint8_t)raw;
      unit[column] |= (uint8_t)(raw >> 8 << row);
      break;
    case 10: {
      uint8_t *const half = unit + 160 * (row / 4);
      half[32 + 32 * (row % 4) + column] = (uint8_t)raw;
      half[column] |= (uint8_t)(raw >> 8 << 2 * (row % 4));
      break;
    }
    case 3:
      if (row < 3) unit[32 * row + column] |= (uint8_t)raw;
      else if (row < 6) unit[32 * (row - 3) + column] |= (uint8_t)(raw << 3);
      else for (unsigned k = 0; k < 3; k++) unit[32 * k + column] |= (uint8_t)((raw >> k & 1) << row);
      break;
    default: unit[i % 64] |= (uint8_t)(raw << 2 * (i / 64)); break;
  }
}
#endif
