// AVX2: split, 32 values a vector.
#if defined(__x86_64__)
#include "float_avx2.h"
#include "split.h"

INLINE bool split_units(const swzip_float_kind kind, const uint8_t *values, uint32_t units, uint16_t window_base,
                        uint8_t *symbols, uint8_t *raw, uint8_t *low0, uint8_t *low1) {
  const unsigned raw_bits = float_traits[kind].raw_bits;
  const bool wide = float_traits[kind].width == 4;
  const vec base = _mm256_set1_epi16((short)window_base);
  vec outside = _mm256_setzero_si256();
  for (uint32_t unit = 0; unit < units; unit++) {
    vec raw_low[8], raw_high[8];
    _Pragma("clang loop unroll(full)") for (int j = 0; j < 8; j++) {
      vec s;
      if (raw_bits >= 6) {
        vec x, y;
        if (wide) {
          const vec v0 = LOAD(values), v1 = LOAD(values + 32), v2 = LOAD(values + 64), v3 = LOAD(values + 96);
          const vec low = _mm256_set1_epi32(0xFFFF);
          x = LANES(_mm256_packus_epi32(_mm256_srli_epi32(v0, 16), _mm256_srli_epi32(v1, 16)));
          y = LANES(_mm256_packus_epi32(_mm256_srli_epi32(v2, 16), _mm256_srli_epi32(v3, 16)));
          const vec l = LANES(_mm256_packus_epi32(_mm256_and_si256(v0, low), _mm256_and_si256(v1, low)));
          const vec m = LANES(_mm256_packus_epi32(_mm256_and_si256(v2, low), _mm256_and_si256(v3, low)));
          const vec byte = _mm256_set1_epi16(255);
          STORE(low0 + 32 * j, LANES(_mm256_packus_epi16(_mm256_and_si256(l, byte), _mm256_and_si256(m, byte))));
          STORE(low1 + 32 * j, LANES(_mm256_packus_epi16(_mm256_srli_epi16(l, 8), _mm256_srli_epi16(m, 8))));
          values += 128;
        } else {
          x = LOAD(values);
          y = LOAD(values + 32);
          values += 64;
        }
        outside = _mm256_or_si256(outside, split16(raw_bits, !float_is_unsigned(kind), x, y, base, &s, raw_low + j, raw_high + j));
      } else {
        const vec x = LOAD(values), one = _mm256_set1_epi8(1);
        values += 32;
        const vec r = _mm256_or_si256(_mm256_andnot_si256(one, _mm256_slli_epi16(x, 1)),
                                      _mm256_and_si256(_mm256_srli_epi16(x, 7), one));
        s = _mm256_and_si256(_mm256_srli_epi16(r, (int)raw_bits), _mm256_set1_epi8((char)(0xFF >> raw_bits)));
        raw_low[j] = _mm256_and_si256(r, _mm256_set1_epi8((char)((1 << raw_bits) - 1)));
      }
      STORE(symbols + 32 * j, s);
    }
    if (raw_bits == 8) {
      for (int j = 0; j < 8; j++) STORE(raw + 32 * j, raw_low[j]);
    } else if (raw_bits == 7) {
      const vec one = _mm256_set1_epi8(1);
      _Pragma("clang loop unroll(full)") for (int j = 0; j < 7; j++)
          STORE(raw + 32 * j, _mm256_or_si256(_mm256_slli_epi16(raw_low[j], 1), _mm256_and_si256(_mm256_srli_epi16(raw_low[7], j), one)));
    } else if (raw_bits == 6) {
      const vec two = _mm256_set1_epi8(3);
      _Pragma("clang loop unroll(full)") for (int j = 0; j < 6; j++) {
        const int row = j / 3 * 4 + j % 3;
        const vec carried = _mm256_and_si256(_mm256_srli_epi16(raw_low[row | 3], 2 * (j % 3)), two);
        STORE(raw + 32 * j, _mm256_or_si256(_mm256_slli_epi16(raw_low[row], 2), carried));
      }
    } else if (raw_bits == 9) {
      vec high = _mm256_setzero_si256();
      _Pragma("clang loop unroll(full)") for (int j = 0; j < 8; j++) {
        high = _mm256_or_si256(high, _mm256_slli_epi16(raw_high[j], j));
        STORE(raw + 32 + 32 * j, raw_low[j]);
      }
      STORE(raw, high);
    } else if (raw_bits == 10) {
      _Pragma("clang loop unroll(full)") for (int half = 0; half < 2; half++) {
        vec high = _mm256_setzero_si256();
        _Pragma("clang loop unroll(full)") for (int k = 0; k < 4; k++) {
          high = _mm256_or_si256(high, _mm256_slli_epi16(raw_high[4 * half + k], 2 * k));
          STORE(raw + 160 * half + 32 + 32 * k, raw_low[4 * half + k]);
        }
        STORE(raw + 160 * half, high);
      }
    } else if (raw_bits == 3) {
      const vec one = _mm256_set1_epi8(1);
      _Pragma("clang loop unroll(full)") for (int i = 0; i < 3; i++) {
        const vec six = _mm256_and_si256(_mm256_srli_epi16(raw_low[6], i), one);
        const vec seven = _mm256_and_si256(_mm256_srli_epi16(raw_low[7], i), one);
        STORE(raw + 32 * i, _mm256_or_si256(_mm256_or_si256(raw_low[i], _mm256_slli_epi16(raw_low[i + 3], 3)),
                                            _mm256_or_si256(_mm256_slli_epi16(six, 6), _mm256_slli_epi16(seven, 7))));
      }
    } else {
      _Pragma("clang loop unroll(full)") for (int i = 0; i < 2; i++) STORE(
          raw + 32 * i, _mm256_or_si256(_mm256_or_si256(raw_low[i], _mm256_slli_epi16(raw_low[i + 2], 2)),
                                        _mm256_or_si256(_mm256_slli_epi16(raw_low[i + 4], 4), _mm256_slli_epi16(raw_low[i + 6], 6))));
    }
    raw += 32 * raw_bits;
    symbols += SWZIP_UNIT;
    if (wide) low0 += SWZIP_UNIT, low1 += SWZIP_UNIT;
  }
  return !_mm256_testz_si256(outside, outside);
}

SPLIT(BF16_J0) SPLIT(BF16_J1) SPLIT(BF16_J2) SPLIT(BF16_U1) SPLIT(F16_J1) SPLIT(F16_J2) SPLIT(E4M3_J1) SPLIT(E5M2_J1)
SPLIT(F32_J0) SPLIT(F32_J1) SPLIT(F32_J2) SPLIT(F32_U1)
static swzip_split_function *const split_functions[] = {
    SPLITS(BF16_J0), SPLITS(BF16_J1), SPLITS(BF16_J2), SPLITS(BF16_U1), SPLITS(F16_J1), SPLITS(F16_J2),
    SPLITS(E4M3_J1), SPLITS(E5M2_J1), SPLITS(F32_J0), SPLITS(F32_J1), SPLITS(F32_J2), SPLITS(F32_U1),
};

bool swzip_float_split_avx2(swzip_float_kind kind, const void *values, uint32_t count, uint16_t window_base,
                            uint8_t *symbols, uint8_t *raw_plane, uint8_t *low0, uint8_t *low1) {
  return swzip_float_split_by(split_functions[kind], kind, values, count, window_base, symbols, raw_plane, low0, low1);
}
#pragma clang attribute pop
#endif
