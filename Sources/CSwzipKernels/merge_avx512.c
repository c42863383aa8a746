// AVX-512: merge as in merge_avx2.c, two rows of 32 values at a time; a vector of 32 values of 16 bits is a stripe of XXH3.
// Kinds that are not here are AVX2's.
#if defined(__x86_64__)
#include "vector_avx512.h"
#include "float.h"
#include "merge.h"

#define PUT(j, v)                                                                        \
  {                                                                                      \
    const vec put = v, key = _mm512_xor_si512(put, LOAD(secret + 8 * (j)));              \
    if (streaming) _mm512_stream_si512((void *)(out + 64 * (j)), put);                   \
    else STORE(out + 64 * (j), put);                                                     \
    lanes = _mm512_add_epi64(_mm512_add_epi64(lanes, _mm512_shuffle_epi32(put, 0x4E)),   \
                             _mm512_mul_epu32(key, _mm512_srli_epi64(key, 32)));         \
  }

INLINE vec halves(__m256i low, __m256i high) {
  return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}

INLINE void merge_units(const swzip_float_kind kind, const bool streaming, const bool sorted,
                        const swzip_merge_input *in, uint32_t first, uint32_t end, swzip_hash_lanes *hash) {
  const unsigned raw_bits = float_traits[kind].raw_bits;
  const size_t width = float_traits[kind].width, raw_bytes = 32 * raw_bits;
  const bool wide = width == 4, joint = raw_bits == 7;
  uint8_t *out = in->out + first * width * SWZIP_UNIT;
  const uint8_t *raw = in->raw_plane + first * raw_bytes, *symbols = in->symbols;
  const uint8_t *low0 = wide ? in->low0 + (size_t)first * SWZIP_UNIT : NULL;
  const uint8_t *low1 = wide ? in->low1 + (size_t)first * SWZIP_UNIT : NULL;
  const uint32_t *index = sorted ? in->index + (size_t)first * 8 : NULL;
  const vec base = _mm512_set1_epi16((short)(in->window_base << 6)), none = _mm512_set1_epi16(63);
  const vec sign = _mm512_set1_epi16((short)0x8000);
  // bytes (words) 0 to 31 (0 to 15) of one vector and of another in turn; the others are 32 (16) further
  const vec word = _mm512_cvtepu8_epi16(_mm512_castsi512_si256(byte_numbers()));
  const vec weave_low = _mm512_or_si512(word, _mm512_slli_epi16(_mm512_or_si512(word, _mm512_set1_epi16(64)), 8));
  const vec weave_high = _mm512_add_epi8(weave_low, _mm512_set1_epi8(32));
  const vec dword = _mm512_cvtepu8_epi32(_mm512_castsi512_si128(byte_numbers()));
  const vec weave16_low = _mm512_or_si512(dword, _mm512_slli_epi32(_mm512_or_si512(dword, _mm512_set1_epi32(32)), 16));
  const vec weave16_high = _mm512_add_epi16(weave16_low, _mm512_set1_epi16(16));
  vec lanes = LOAD(hash->lane);
  for (uint32_t unit = first; unit < end; unit++) {
    prefetch_ahead(in, unit);
    const uint8_t *const secret = XXH3_kSecret + (unit * 4 * width & 15) * 8;
    vec carried = _mm512_setzero_si512();
    _Pragma("clang loop unroll(full)") for (int q = 0; q < 4; q++) {
      vec s = sorted ? halves(LOAD_HALF(symbols + index[2 * q]), LOAD_HALF(symbols + index[2 * q + 1]))
                     : LOAD(symbols + 64 * q);
      vec r;
      if (joint) {
        if (q < 3) {
          // bit 0 of row j is bit j of row 7's raw value
          r = LOAD(raw + 64 * q);
          const vec count = halves(_mm256_set1_epi16((short)(2 * q + 1)), _mm256_set1_epi16((short)(2 * q + 2)));
          const vec mask = halves(_mm256_set1_epi8((char)(2 << 2 * q)), _mm256_set1_epi8((char)(4 << 2 * q)));
          carried = _mm512_ternarylogic_epi64(carried, _mm512_sllv_epi16(r, count), mask, 0xF8);  // a | (b & c)
        } else {
          const __m256i six = LOAD_HALF(raw + 192), seven = _mm256_or_si256(_mm512_castsi512_si256(carried), _mm512_extracti64x4_epi64(carried, 1));
          r = halves(six, _mm256_ternarylogic_epi64(seven, _mm256_slli_epi16(six, 7), _mm256_set1_epi8((char)0x80), 0xF8));
        }
      } else if (raw_bits == 10) {
        // the symbol byte holds symbol << 2: bits 8 and 9 of the raw value complete it
        const int half = q / 2, k = 2 * (q & 1);
        const vec high = _mm512_broadcast_i64x4(LOAD_HALF(raw + 160 * half));
        const vec count = halves(_mm256_set1_epi16((short)(2 * k)), _mm256_set1_epi16((short)(2 * k + 2)));
        s = _mm512_ternarylogic_epi64(s, _mm512_srlv_epi16(high, count), _mm512_set1_epi8(3), 0xF8);
        r = LOAD(raw + 160 * half + 32 + 32 * k);
      } else {
        r = LOAD(raw + 64 * q);
      }
      vec x = _mm512_permutex2var_epi8(r, weave_low, s), y = _mm512_permutex2var_epi8(r, weave_high, s);
      if (joint) {
        // symbol << 8 | raw << 1 | free bit: see float_avx2.h
        const vec p = _mm512_srli_epi16(x, 2), t = _mm512_srli_epi16(y, 2);
        x = _mm512_ternarylogic_epi64(_mm512_mask_add_epi16(p, _mm512_cmpgt_epi16_mask(p, none), p, base),
                                      _mm512_slli_epi16(x, 14), sign, 0xF8);
        y = _mm512_ternarylogic_epi64(_mm512_mask_add_epi16(t, _mm512_cmpgt_epi16_mask(t, none), t, base),
                                      _mm512_slli_epi16(y, 14), sign, 0xF8);
      } else {
        x = _mm512_shrdi_epi16(x, x, 1);
        y = _mm512_shrdi_epi16(y, y, 1);
      }
      if (wide) {
        const vec p0 = LOAD(low0 + 64 * q), p1 = LOAD(low1 + 64 * q);
        const vec l = _mm512_permutex2var_epi8(p0, weave_low, p1), m = _mm512_permutex2var_epi8(p0, weave_high, p1);
        PUT(4 * q, _mm512_permutex2var_epi16(l, weave16_low, x))
        PUT(4 * q + 1, _mm512_permutex2var_epi16(l, weave16_high, x))
        PUT(4 * q + 2, _mm512_permutex2var_epi16(m, weave16_low, y))
        PUT(4 * q + 3, _mm512_permutex2var_epi16(m, weave16_high, y))
      } else {
        PUT(2 * q, x)
        PUT(2 * q + 1, y)
      }
    }
    if (((unit + 1) * 4 * width & 15) == 0) {
      const vec prime = _mm512_set1_epi32((int)XXH_PRIME32_1);
      const vec x = _mm512_ternarylogic_epi64(lanes, _mm512_srli_epi64(lanes, 47), LOAD(XXH3_kSecret + 128), 0x96);  // xor
      lanes = _mm512_add_epi64(_mm512_mul_epu32(x, prime),
                               _mm512_slli_epi64(_mm512_mul_epu32(_mm512_srli_epi64(x, 32), prime), 32));
    }
    out += width * SWZIP_UNIT;
    raw += raw_bytes;
    if (wide) low0 += SWZIP_UNIT, low1 += SWZIP_UNIT;
    if (sorted) index += 8;
    else symbols += SWZIP_UNIT;
  }
  STORE(hash->lane, lanes);
}

MERGE(BF16_J0) MERGE(BF16_J1) MERGE(F16_J1) MERGE(F32_J0) MERGE(F32_J1)
static const swzip_merge_functions merges = {
    MERGES(BF16_J0), MERGES(BF16_J1), MERGES(F16_J1), MERGES(F32_J0), MERGES(F32_J1),
};

bool swzip_float_decode_avx512(const swzip_float_block *block, void *out, uint8_t *scratch, bool streaming,
                               uint64_t *hash) {
  // streaming to a place that suits vectors of 32 bytes only is still better than no streaming
  if (!merges[block->kind][0][0] || (streaming && ((uintptr_t)out & 63) == 32))
    return swzip_float_decode_by(swzip_merges_avx2[block->kind], 32, block, out, scratch, streaming, hash);
  return swzip_float_decode_by(merges[block->kind], 64, block, out, scratch, streaming, hash);
}
#pragma clang attribute pop
#endif
