// AVX2 + BMI2: split and encode. Gives the bytes of portable.c.
#if defined(__x86_64__)
#include "avx2.h"

// ---------------------------------------------------------------- split

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

INLINE bool split_units(const swzip_float_kind kind, const uint8_t *values, uint32_t units, uint16_t window_base,
                        uint8_t *symbols, uint8_t *raw, uint8_t *low0, uint8_t *low1) {
  const bool wide = kind == SWZIP_F32_J0 || kind == SWZIP_F32_J1 || kind == SWZIP_F32_J2 || kind == SWZIP_F32_U1;
  const unsigned raw_bits = kind == SWZIP_BF16_J0 || kind == SWZIP_F32_J0   ? 8
                            : kind == SWZIP_BF16_J1 || kind == SWZIP_F32_J1 ? 7
                            : kind == SWZIP_BF16_J2 || kind == SWZIP_F32_J2 || float_is_unsigned(kind) ? 6
                            : kind == SWZIP_F16_J1                          ? 10
                            : kind == SWZIP_F16_J2                          ? 9
                            : kind == SWZIP_E4M3_J1                         ? 3
                                                                            : 2;
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

#define SPLIT(kind, name)                                                                                          \
  static NOINLINE bool split_##name(const uint8_t *values, uint32_t units, uint16_t base, uint8_t *symbols,        \
                                    uint8_t *raw, uint8_t *low0, uint8_t *low1) {                                  \
    return split_units(kind, values, units, base, symbols, raw, low0, low1);                                       \
  }
SPLIT(SWZIP_BF16_J0, bf16_j0) SPLIT(SWZIP_BF16_J1, bf16_j1) SPLIT(SWZIP_F16_J1, f16_j1) SPLIT(SWZIP_E4M3_J1, e4m3_j1)
SPLIT(SWZIP_E5M2_J1, e5m2_j1) SPLIT(SWZIP_F32_J0, f32_j0) SPLIT(SWZIP_F32_J1, f32_j1)
SPLIT(SWZIP_BF16_J2, bf16_j2) SPLIT(SWZIP_F16_J2, f16_j2) SPLIT(SWZIP_F32_J2, f32_j2)
SPLIT(SWZIP_BF16_U1, bf16_u1) SPLIT(SWZIP_F32_U1, f32_u1)
static swzip_split_function *const split_functions[] = {
    [SWZIP_BF16_J0] = split_bf16_j0, [SWZIP_BF16_J1] = split_bf16_j1, [SWZIP_F16_J1] = split_f16_j1,
    [SWZIP_E4M3_J1] = split_e4m3_j1, [SWZIP_E5M2_J1] = split_e5m2_j1, [SWZIP_F32_J0] = split_f32_j0,
    [SWZIP_F32_J1] = split_f32_j1,   [SWZIP_BF16_J2] = split_bf16_j2, [SWZIP_F16_J2] = split_f16_j2,
    [SWZIP_F32_J2] = split_f32_j2,   [SWZIP_BF16_U1] = split_bf16_u1, [SWZIP_F32_U1] = split_f32_u1,
};

bool swzip_avx2_split_by(swzip_split_function *split, swzip_float_kind kind, const void *values, uint32_t count,
                         uint16_t window_base, uint8_t *symbols, uint8_t *raw_plane, uint8_t *low0, uint8_t *low1) {
  const uint32_t units = count / SWZIP_UNIT, rest = count % SWZIP_UNIT;
  const size_t width = float_traits[kind].width, done = (size_t)units * SWZIP_UNIT;
  bool outside = split(values, units, window_base, symbols, raw_plane, low0, low1);
  if (rest) {
    _Alignas(64) uint8_t last[4 * SWZIP_UNIT] = {0};
    memcpy(last, (const uint8_t *)values + done * width, rest * width);
    outside |= split(last, 1, window_base, symbols + done, raw_plane + (size_t)units * 32 * float_traits[kind].raw_bits,
                     low0 ? low0 + done : NULL, low1 ? low1 + done : NULL);
  }
  return outside;
}

bool swzip_avx2_float_split(swzip_float_kind kind, const void *values, uint32_t count, uint16_t window_base,
                            uint8_t *symbols, uint8_t *raw_plane, uint8_t *low0, uint8_t *low1) {
  return swzip_avx2_split_by(split_functions[kind], kind, values, count, window_base, symbols, raw_plane, low0, low1);
}

uint32_t swzip_avx2_fixed4_encode(const void *values, uint32_t count, uint8_t window_first, uint8_t *codes,
                              uint8_t *raw_plane, uint8_t *escapes) {
  const vec zero = _mm256_setzero_si256(), before = _mm256_set1_epi8((char)(window_first - 1));
  const vec fourteen = _mm256_set1_epi8(14), fifteen = _mm256_set1_epi8(15), one = _mm256_set1_epi8(1);
  const size_t units = ((size_t)count + 63) / 64;
  const uint8_t *bytes = values;
  uint32_t escaped = 0;
  memset(raw_plane + 64 * units, 0, swzip_raw_plane_bytes(SWZIP_BF16_J0, count) - 64 * units);
  for (size_t unit = 0; unit < units; unit++, bytes += 128) {
    _Alignas(32) uint8_t last[128];
    const uint8_t *from = bytes;
    if (unit == units - 1 && count % 64) {
      memset(last, 0, sizeof last);
      memcpy(last, bytes, 2 * (count % 64));
      from = last;
    }
    vec code[2];
    _Pragma("clang loop unroll(full)") for (int half = 0; half < 2; half++) {
      vec symbols, raw, unused;
      split16(8, true, LOAD(from + 64 * half), LOAD(from + 64 * half + 32), zero, &symbols, &raw, &unused);
      STORE(raw_plane + 64 * unit + 32 * half, raw);
      // 1 to 14 inside the window, 0 for zero, 15 for the rest
      const vec step = _mm256_sub_epi8(symbols, before);
      const vec inside = _mm256_cmpeq_epi8(_mm256_min_epu8(_mm256_sub_epi8(step, one), _mm256_set1_epi8(13)), _mm256_sub_epi8(step, one));
      const vec is_zero = _mm256_cmpeq_epi8(symbols, zero);
      vec c = _mm256_blendv_epi8(fifteen, _mm256_min_epu8(step, fourteen), inside);
      c = _mm256_andnot_si256(is_zero, c);
      code[half] = c;
      uint32_t out_of_window = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(c, fifteen));
      if (__builtin_expect(out_of_window != 0, 0)) {
        _Alignas(32) uint8_t all[32];
        STORE(all, symbols);
        for (; out_of_window; out_of_window &= out_of_window - 1) escapes[escaped++] = all[__builtin_ctz(out_of_window)];
      }
    }
    STORE(codes + 32 * unit, _mm256_or_si256(code[0], _mm256_slli_epi16(code[1], 4)));
  }
  return escaped;
}

// ---------------------------------------------------------------- Huffman encode

// 32 symbols at a time: codes and lengths come from byte shuffles over a window of 32 symbols, neighbours are joined to
// pairs (multiply by 2^length and add), quads and octets (variable shifts), and four octets are appended to the bit
// stream. Octets over 56 bits, and symbols outside the window or without a code, take the scalar path.
#define APPEND(code_bits, code_length)      \
  {                                         \
    bits |= (uint64_t)(code_bits) << held;  \
    held += (code_length);                  \
    store64(out, bits);                     \
    out += held >> 3;                       \
    bits >>= held & 56;                     \
    held &= 7;                              \
  }
#define APPEND_ONE(i)                                                                    \
  {                                                                                      \
    unsigned symbol = symbols[i];                                                        \
    if (__builtin_expect(!table->length[symbol], 0)) {                                   \
      if (*missing_count < missing_capacity) missing[*missing_count] = first_position + (uint32_t)(i); \
      (*missing_count)++;                                                                \
      symbol = table->cheapest;                                                          \
    }                                                                                    \
    APPEND(table->code[symbol], table->length[symbol])                                   \
  }

NOINLINE uint8_t *swzip_avx2_huffman_encode(const uint8_t *symbols, size_t count, const swzip_encode_table *table,
                                        uint8_t *out, uint32_t first_position, uint32_t *missing,
                                        uint32_t missing_capacity, uint32_t *missing_count) {
  const vec zero = _mm256_setzero_si256(), low4 = _mm256_set1_epi8(15), low3 = _mm256_set1_epi8(7);
  const vec window = _mm256_set1_epi8(31), first = _mm256_set1_epi8((char)table->first);
  vec low[2], high[2];
  for (int i = 0; i < 2; i++) {
    low[i] = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)(table->low + 16 * i)));
    high[i] = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)(table->high + 16 * i)));
  }
  const vec power_low = _mm256_setr_epi8(1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64,
                                         -128, 0, 0, 0, 0, 0, 0, 0, 0);
  const vec power_high = _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2,
                                          4, 8, 0, 0, 0, 0);
  const vec one_high = _mm256_set1_epi32(0x00010000), low32 = _mm256_set1_epi64x(0xFFFFFFFF);
  uint64_t bits = 0;
  unsigned held = 0;
  size_t i = count;
  while (i & 31) {
    i--;
    APPEND_ONE(i)
  }
  while (i) {
    i -= 32;
    const vec x = _mm256_sub_epi8(LOAD(symbols + i), first);
    vec good = _mm256_cmpeq_epi8(_mm256_min_epu8(x, window), x);
    const vec bit4 = _mm256_slli_epi16(x, 3), nibble = _mm256_and_si256(x, low4);
#define PICK(t) \
  _mm256_blendv_epi8(_mm256_shuffle_epi8(t[0], nibble), _mm256_shuffle_epi8(t[1], nibble), bit4)
    const vec code_low = PICK(low), both = PICK(high);
    const vec length = _mm256_and_si256(both, low4);
    const vec code_high = _mm256_and_si256(_mm256_srli_epi16(both, 4), low3);
    good = _mm256_andnot_si256(_mm256_cmpeq_epi8(length, zero), good);
    // pairs: code of the later symbol below, the earlier one's shifted up by the later one's length
    const vec pl = _mm256_shuffle_epi8(power_low, length), ph = _mm256_shuffle_epi8(power_high, length);
    const vec code_a = _mm256_unpacklo_epi8(code_low, code_high), code_b = _mm256_unpackhi_epi8(code_low, code_high);
    const vec power_a = _mm256_or_si256(_mm256_srli_epi32(_mm256_unpacklo_epi8(pl, ph), 16), one_high);
    const vec power_b = _mm256_or_si256(_mm256_srli_epi32(_mm256_unpackhi_epi8(pl, ph), 16), one_high);
    const vec pair_a = _mm256_madd_epi16(code_a, power_a), pair_b = _mm256_madd_epi16(code_b, power_b);
    const vec length2 = _mm256_maddubs_epi16(length, _mm256_set1_epi8(1));
    const vec length_a = _mm256_unpacklo_epi16(length2, zero), length_b = _mm256_unpackhi_epi16(length2, zero);
    // quads
    const vec quad_a = _mm256_or_si256(_mm256_srli_epi64(pair_a, 32),
                                       _mm256_sllv_epi64(_mm256_and_si256(pair_a, low32), _mm256_srli_epi64(length_a, 32)));
    const vec quad_b = _mm256_or_si256(_mm256_srli_epi64(pair_b, 32),
                                       _mm256_sllv_epi64(_mm256_and_si256(pair_b, low32), _mm256_srli_epi64(length_b, 32)));
    const vec length4_a = _mm256_add_epi64(_mm256_srli_epi64(length_a, 32), _mm256_and_si256(length_a, low32));
    const vec length4_b = _mm256_add_epi64(_mm256_srli_epi64(length_b, 32), _mm256_and_si256(length_b, low32));
    // octets
    const vec later = _mm256_unpackhi_epi64(quad_a, quad_b), earlier = _mm256_unpacklo_epi64(quad_a, quad_b);
    const vec later_length = _mm256_unpackhi_epi64(length4_a, length4_b);
    const vec octet = _mm256_or_si256(later, _mm256_sllv_epi64(earlier, later_length));
    const vec octet_length = _mm256_add_epi64(later_length, _mm256_unpacklo_epi64(length4_a, length4_b));
    const vec long_octet = _mm256_cmpgt_epi64(octet_length, _mm256_set1_epi64x(56));
    if (__builtin_expect(_mm256_movemask_epi8(good) == -1 && _mm256_testz_si256(long_octet, long_octet), 1)) {
      _Alignas(32) uint64_t octets[4], lengths[4];
      _mm256_store_si256((vec *)(void *)octets, octet);
      _mm256_store_si256((vec *)(void *)lengths, octet_length);
      APPEND(octets[3], (unsigned)lengths[3])
      APPEND(octets[2], (unsigned)lengths[2])
      APPEND(octets[1], (unsigned)lengths[1])
      APPEND(octets[0], (unsigned)lengths[0])
    } else {
      for (size_t j = i + 32; j-- > i;) APPEND_ONE(j)
    }
  }
  if (held) *out++ = (uint8_t)bits;
  return out;
}

void swzip_avx2_row_sums(const uint8_t *symbols, uint32_t rows, uint32_t row_length, uint32_t *sums) {
  for (uint32_t row = 0; row < rows; row++, symbols += row_length) {
    vec sum = _mm256_setzero_si256();
    for (uint32_t i = 0; i < row_length; i += 32)
      sum = _mm256_add_epi64(sum, _mm256_sad_epu8(LOAD(symbols + i), _mm256_setzero_si256()));
    sums[row] = (uint32_t)(_mm256_extract_epi64(sum, 0) + _mm256_extract_epi64(sum, 1) + _mm256_extract_epi64(sum, 2) +
                           _mm256_extract_epi64(sum, 3));
  }
}
#pragma clang attribute pop
#endif
