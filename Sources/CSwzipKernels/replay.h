// Quants computed from the values that they were made of (spec/codecs/replay.md). Loops that the compiler makes vectors of;
// every operation on floats is one of IEEE 754 that all processors round alike, and minima and maxima are of integers.
#ifndef SWZIP_REPLAY_H
#define SWZIP_REPLAY_H
#include "kernels.h"

#pragma STDC FP_CONTRACT OFF

enum { REPLAY_MOST = 256, REPLAY_GROUPS = 16 };

INLINE float replay_float(uint32_t bits) { float v; memcpy(&v, &bits, 4); return v; }
INLINE uint32_t replay_bits(float v) { uint32_t bits; memcpy(&bits, &v, 4); return bits; }

// Without branches, and without floats that are subnormal: those take some processors long.
INLINE float replay_from_f16(uint16_t h) {
  const uint32_t sign = (uint32_t)(h & 0x8000) << 16, magnitude = h & 0x7FFF;
  const uint32_t normal = (magnitude << 13) + (magnitude < 0x7C00 ? 112u << 23 : 224u << 23);
  const uint32_t small = replay_bits((float)(int32_t)magnitude * 0x1p-24f);
  return replay_float(sign | (magnitude < 0x400 ? small : normal));
}

// To nearest, ties to even; what is not a number becomes infinite.
INLINE uint16_t replay_to_f16(float v) {
  const uint32_t s = replay_bits(v), magnitude = s & 0x7FFFFFFF;
  const uint16_t sign = (uint16_t)(s >> 16 & 0x8000);
  if (magnitude >= 0x477FF000) return (uint16_t)(sign | 0x7C00);
  if (magnitude >= 0x38800000) return (uint16_t)(sign | ((magnitude + 0xFFF + (magnitude >> 13 & 1) - (112u << 23)) >> 13));
  // The sum's last place is that of the smallest half.
  return (uint16_t)(sign | (replay_bits(replay_float(magnitude) + 0.5f) - 0x3F000000));
}

INLINE void replay_load(swzip_replay_source source, const uint8_t *x, size_t count, float *v) {
  if (source == SWZIP_REPLAY_BF16) {
    for (size_t i = 0; i < count; i++) v[i] = replay_float((uint32_t)load16(x + 2 * i) << 16);
  } else if (source == SWZIP_REPLAY_F16) {
    for (size_t i = 0; i < count; i++) v[i] = replay_from_f16(load16(x + 2 * i));
  } else {
    memcpy(v, x, 4 * count);
  }
}

// Integers in the order of the floats.
INLINE int32_t replay_key(float v) {
  const int32_t bits = (int32_t)replay_bits(v);
  return bits ^ (bits >> 31 & 0x7FFFFFFF);
}
INLINE float replay_of_key(int32_t key) { return replay_float((uint32_t)(key ^ (key >> 31 & 0x7FFFFFFF))); }

INLINE void replay_find_keys(const float *v, unsigned count, int32_t *least, int32_t *most) {
  int32_t low = INT32_MAX, high = INT32_MIN;
  for (unsigned i = 0; i < count; i++) {
    const int32_t key = replay_key(v[i]);
    low = key < low ? key : low;
    high = key > high ? key : high;
  }
  *least = low;
  *most = high;
}
typedef struct { float least, most; } replay_range;
INLINE replay_range replay_find_range(const float *v, unsigned count) {
  int32_t least, most;
  replay_find_keys(v, count, &least, &most);
  return (replay_range){replay_of_key(least), replay_of_key(most)};
}

// Bits of the greatest magnitude.
INLINE uint32_t replay_magnitude(const float *v, unsigned count) {
  uint32_t most = 0;
  for (unsigned i = 0; i < count; i++) {
    const uint32_t bits = replay_bits(v[i]) & 0x7FFFFFFF;
    most = bits > most ? bits : most;
  }
  return most;
}

// The value of the greatest magnitude; the first of several.
INLINE float replay_extreme(const float *v, unsigned count) {
  const replay_range range = replay_find_range(v, count);
  const uint32_t low = replay_bits(range.least) & 0x7FFFFFFF, high = replay_bits(range.most) & 0x7FFFFFFF;
  if (low != high) return low > high ? range.least : range.most;
  for (unsigned i = 0; i < count; i++)
    if ((replay_bits(v[i]) & 0x7FFFFFFF) == high) return v[i];
  return range.most;
}

// Whole numbers from `low` to `high`, at most 2^8 away from 0. What is not a number becomes `low`.
INLINE float replay_clamp(float y, float low, float high) {
  y = y > low ? y : low;
  return y < high ? y : high;
}
INLINE int32_t replay_nearest(float y) { return (int32_t)replay_bits(y + 12582912.0f) - 0x4B400000; }
INLINE float replay_inverse(float v) { return v != 0 ? 1 / v : 0; }

// Differences of `bits` bits as small numbers: 0, -1, 1, -2 …
INLINE uint8_t replay_fold(int32_t difference, unsigned bits) {
  const int32_t d = (int32_t)((uint32_t)difference << (32 - bits)) >> (32 - bits);
  return (uint8_t)((uint32_t)d << 1 ^ (uint32_t)(d >> 31));
}
INLINE int32_t replay_unfold(uint8_t folded) { return (folded >> 1) ^ -(folded & 1); }

// What a block of a type holds: its fields apart from each other.
typedef struct {
  uint16_t scale, minimum;
  uint8_t scales[REPLAY_GROUPS], minima[REPLAY_GROUPS];
  uint8_t codes[REPLAY_MOST];
} replay_fields;

// What is known of a type.
typedef struct {
  unsigned type, elements, bytes, groups;
  unsigned code_bits, scale_bits;
  bool has_minimum;
} replay_shape;

INLINE replay_shape replay_shape_of(unsigned type) {
  switch (type) {
    case 2: return (replay_shape){2, 32, 18, 0, 4, 0, false};
    case 3: return (replay_shape){3, 32, 20, 0, 4, 0, true};
    case 6: return (replay_shape){6, 32, 22, 0, 5, 0, false};
    case 7: return (replay_shape){7, 32, 24, 0, 5, 0, true};
    case 8: return (replay_shape){8, 32, 34, 0, 8, 0, false};
    case 10: return (replay_shape){10, 256, 84, 16, 2, 4, true};
    case 11: return (replay_shape){11, 256, 110, 16, 3, 6, false};
    case 12: return (replay_shape){12, 256, 144, 8, 4, 6, true};
    case 13: return (replay_shape){13, 256, 176, 8, 5, 6, true};
    case 14: return (replay_shape){14, 256, 210, 16, 6, 8, false};
    case 20: return (replay_shape){20, 32, 18, 0, 4, 0, false};
    case 34: return (replay_shape){34, 256, 54, 0, 2, 0, false};
    case 35: return (replay_shape){35, 256, 66, 0, 2, 0, false};
    default: return (replay_shape){0};
  }
}
#endif
