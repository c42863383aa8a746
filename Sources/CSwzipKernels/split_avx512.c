// AVX-512: split, two rows of 32 values at a time. Kinds that are not here are AVX2's.
#if defined(__x86_64__)
#include "vector_avx512.h"
#include "float.h"
#include "split.h"

// A unit is four pairs of rows. The numbers of the even and odd bytes of two vectors:
#define EVEN(x, y) _mm512_permutex2var_epi8(x, even, y)
#define ODD(x, y) _mm512_permutex2var_epi8(x, odd, y)

INLINE bool split_units(const swzip_float_kind kind, const uint8_t *values, uint32_t units, uint16_t window_base,
                        uint8_t *symbols, uint8_t *raw, uint8_t *low0, uint8_t *low1) {
  const unsigned raw_bits = float_traits[kind].raw_bits;
  const bool wide = float_traits[kind].width == 4;
  const vec even = _mm512_add_epi8(byte_numbers(), byte_numbers()), odd = _mm512_or_si512(even, _mm512_set1_epi8(1));
  const vec even16 = _mm512_slli_epi16(_mm512_cvtepu8_epi16(_mm512_castsi512_si256(byte_numbers())), 1);
  const vec odd16 = _mm512_or_si512(even16, _mm512_set1_epi16(1)), quarters = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
  const vec base = _mm512_set1_epi16((short)window_base), one = _mm512_set1_epi16(1);
  vec most = _mm512_setzero_si512(), least = _mm512_set1_epi16(-1);  // symbols; fields - 1, those of 0 wrapping
  for (uint32_t unit = 0; unit < units; unit++) {
    vec low[4], high[4];
    // The processor's own prefetchers stop at the end of a page. Only a hint: the addresses need not exist.
    for (int line = 0; line < (wide ? 16 : 8); line++)
      __builtin_prefetch((const void *)((uintptr_t)values + 4096 + 64 * (uintptr_t)line));
    _Pragma("clang loop unroll(full)") for (int q = 0; q < 4; q++) {
      vec x, y;
      if (wide) {
        const vec v0 = LOAD(values), v1 = LOAD(values + 64), v2 = LOAD(values + 128), v3 = LOAD(values + 192);
        x = _mm512_permutex2var_epi16(v0, odd16, v1);
        y = _mm512_permutex2var_epi16(v2, odd16, v3);
        const vec l = _mm512_permutex2var_epi16(v0, even16, v1), m = _mm512_permutex2var_epi16(v2, even16, v3);
        STORE(low0 + 64 * q, EVEN(l, m));
        STORE(low1 + 64 * q, ODD(l, m));
        values += 256;
      } else {
        x = LOAD(values);
        y = LOAD(values + 64);
        values += 128;
      }
      x = _mm512_shldi_epi16(x, x, 1);
      y = _mm512_shldi_epi16(y, y, 1);
      low[q] = EVEN(x, y);
      vec s;
      if (raw_bits == 7) {
        x = _mm512_srli_epi16(x, 7);
        y = _mm512_srli_epi16(y, 7);
        least = _mm512_min_epu16(least, _mm512_min_epu16(_mm512_sub_epi16(x, one), _mm512_sub_epi16(y, one)));
        x = _mm512_subs_epu16(x, base);
        y = _mm512_subs_epu16(y, base);
        most = _mm512_max_epu16(most, _mm512_max_epu16(x, y));
        s = _mm512_permutexvar_epi64(quarters, _mm512_packus_epi16(x, y));
      } else {
        s = ODD(x, y);
        if (raw_bits == 10) {
          high[q] = s;
          s = _mm512_and_si512(_mm512_srli_epi16(s, 2), _mm512_set1_epi8(0x3F));
        }
      }
      STORE(symbols + 64 * q, s);
    }
    if (raw_bits == 8) {
      for (int q = 0; q < 4; q++) STORE(raw + 64 * q, low[q]);
    } else if (raw_bits == 7) {
      // byte = raw << 1 (the field's lowest bit falls off) | bit of row 7, which is in both halves of `carried`
      const vec carried = _mm512_shuffle_i64x2(low[3], low[3], 0xEE);
      vec bit = _mm512_inserti64x4(_mm512_setzero_si512(), _mm256_set1_epi16(1), 1);
      _Pragma("clang loop unroll(full)") for (int q = 0; q < 4; q++) {
        const vec r = _mm512_ternarylogic_epi64(_mm512_add_epi8(low[q], low[q]), _mm512_srlv_epi16(carried, bit),
                                                _mm512_set1_epi8(1), 0xF8);  // a | (b & c)
        bit = _mm512_add_epi16(bit, _mm512_set1_epi16(2));
        if (q < 3) STORE(raw + 64 * q, r);
        else STORE_HALF(raw + 192, _mm512_castsi512_si256(r));
      }
    } else {
      _Pragma("clang loop unroll(full)") for (int half = 0; half < 2; half++) {
        const vec a = high[2 * half], b = _mm512_slli_epi16(high[2 * half + 1], 4);
        const vec m = _mm512_or_si512(_mm512_and_si512(a, _mm512_set1_epi8(3)), _mm512_and_si512(b, _mm512_set1_epi8(0x30)));
        STORE_HALF(raw + 160 * half, _mm256_or_si256(_mm512_castsi512_si256(m),
                                                     _mm256_slli_epi16(_mm512_extracti64x4_epi64(m, 1), 2)));
        STORE(raw + 160 * half + 32, low[2 * half]);
        STORE(raw + 160 * half + 96, low[2 * half + 1]);
      }
    }
    raw += 32 * raw_bits;
    symbols += SWZIP_UNIT;
    if (wide) low0 += SWZIP_UNIT, low1 += SWZIP_UNIT;
  }
  // a field of 1 to the base has no symbol, nor has one more than 255 above it
  return (_mm512_cmplt_epu16_mask(least, base) | _mm512_cmpgt_epu16_mask(most, _mm512_set1_epi16(255))) != 0;
}

SPLIT(BF16_J0) SPLIT(BF16_J1) SPLIT(F16_J1) SPLIT(F32_J0) SPLIT(F32_J1)
static swzip_split_function *const split_functions[SWZIP_FLOAT_KINDS] = {
    SPLITS(BF16_J0), SPLITS(BF16_J1), SPLITS(F16_J1), SPLITS(F32_J0), SPLITS(F32_J1),
};

bool swzip_float_split_avx512(swzip_float_kind kind, const void *values, uint32_t count, uint16_t window_base,
                              uint8_t *symbols, uint8_t *raw_plane, uint8_t *low0, uint8_t *low1) {
  swzip_split_function *const split = split_functions[kind];
  return split ? swzip_float_split_by(split, kind, values, count, window_base, symbols, raw_plane, low0, low1)
               : swzip_float_split_avx2(kind, values, count, window_base, symbols, raw_plane, low0, low1);
}
#pragma clang attribute pop
#endif
