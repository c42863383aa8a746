// Values that another float type determines (spec/codecs/cast.md). Integers only; one version for every level: its loops are
// short beside reading what they refer to.
#include "kernels.h"

static uint16_t to_f16(uint32_t s) {
  const uint16_t sign = (uint16_t)(s >> 16 & 0x8000);
  const uint32_t magnitude = s & 0x7FFFFFFF;
  if (magnitude > 0x7F800000) return (uint16_t)(sign | 0x7E00 | (magnitude >> 13 & 0x1FF));  // NaN
  if (magnitude >= 0x477FF000) return (uint16_t)(sign | 0x7C00);                              // 65520 and above
  if (magnitude < 0x33000000) return sign;                                                    // below half the least
  if (magnitude < 0x38800000) {  // subnormal: the mantissa with its leading one, shifted
    const unsigned shift = 126 - (magnitude >> 23);
    const uint32_t mantissa = (magnitude & 0x7FFFFF) | 0x800000;
    const uint32_t kept = mantissa >> shift, rest = mantissa & ((1u << shift) - 1), half = 1u << (shift - 1);
    return (uint16_t)(sign | (kept + (rest > half || (rest == half && (kept & 1)))));
  }
  const uint32_t rounded = magnitude + 0xFFF + (magnitude >> 13 & 1);
  return (uint16_t)(sign | ((rounded >> 13) - (112u << 10)));
}

static uint32_t from_f16(uint16_t h) {
  const uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 31, mantissa = h & 0x3FF;
  if (exponent == 31) return sign | 0x7F800000 | mantissa << 13;
  if (exponent) return sign | (exponent + 112) << 23 | mantissa << 13;
  if (!mantissa) return sign;
  const unsigned shift = (unsigned)__builtin_clz(mantissa) - 21;  // to the place of the leading one
  return sign | (113 - shift) << 23 | (mantissa << shift & 0x3FF) << 13;
}

void swzip_cast(swzip_cast_kind kind, const void *reference, uint32_t count, const uint8_t *low0, const uint8_t *low1,
                void *out) {
  const uint8_t *const in = reference;
  uint8_t *const bytes = out;
  switch (kind) {
    case SWZIP_CAST_F32_TO_BF16:
      for (size_t i = 0; i < count; i++) {
        const uint32_t s = load32(in + 4 * i);
        store16(bytes + 2 * i, (uint16_t)((s + 0x7FFF + (s >> 16 & 1)) >> 16));
      }
      break;
    case SWZIP_CAST_F32_TO_F16:
      for (size_t i = 0; i < count; i++) store16(bytes + 2 * i, to_f16(load32(in + 4 * i)));
      break;
    case SWZIP_CAST_BF16_TO_F32:
      for (size_t i = 0; i < count; i++) {
        const uint32_t low = low0[i] | (uint32_t)low1[i] << 8, s = load16(in + 2 * i);
        store32(bytes + 4 * i, (s - (low > 0x8000)) << 16 | low);
      }
      break;
    default:
      for (size_t i = 0; i < count; i++) store32(bytes + 4 * i, from_f16(load16(in + 2 * i)));
  }
}

uint32_t swzip_differences(const void *a, const void *b, uint32_t count, unsigned width, uint32_t *positions,
                           uint32_t capacity) {
  const uint8_t *const left = a, *const right = b;
  uint32_t found = 0;
  // Equal stretches are skipped as memory.
  for (uint32_t i = 0; i < count;) {
    const uint32_t run = count - i < 64 ? count - i : 64;
    if (memcmp(left + (size_t)i * width, right + (size_t)i * width, (size_t)run * width)) {
      for (uint32_t k = i; k < i + run; k++) {
        if (!memcmp(left + (size_t)k * width, right + (size_t)k * width, width)) continue;
        if (found < capacity) positions[found] = k;
        found++;
      }
    }
    i += run;
  }
  return found;
}
