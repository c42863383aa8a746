// AVX2: blocks of floats, merged and hashed at once.
//
// 32 symbols and their 32 raw bytes are woven into two vectors of 16-bit values, rotated back, stored, and fed to XXH3's
// accumulators while they are in registers. A unit of 256 values is 4, 8 or 16 stripes. The last unit of a block and units
// with patches go through a small buffer.
#if defined(__x86_64__)
#include "float_avx2.h"
#include "xxh3_avx2.h"

#include "merge_block.h"

// The symbols of chunk j, and what they merge to.
#define SYMBOLS(j) LOAD(sorted ? symbols + index[j] : symbols + 32 * (j))
#define PUT16(j, raw)                                        \
  {                                                          \
    vec x, y;                                                \
    weave16(kind, SYMBOLS(j), raw, base, &x, &y);            \
    if (wide) {                                              \
      const vec p0 = LANES(LOAD(low0 + 32 * (j))), p1 = LANES(LOAD(low1 + 32 * (j))); \
      const vec l0 = _mm256_unpacklo_epi8(p0, p1), l1 = _mm256_unpackhi_epi8(p0, p1); \
      const vec s = _mm256_unpacklo_epi16(l0, x), t = _mm256_unpackhi_epi16(l0, x);   \
      const vec m = _mm256_unpacklo_epi16(l1, y), n = _mm256_unpackhi_epi16(l1, y);   \
      PUT(4 * (j), _mm256_permute2x128_si256(s, t, 0x20))     \
      PUT(4 * (j) + 1, _mm256_permute2x128_si256(s, t, 0x31)) \
      PUT(4 * (j) + 2, _mm256_permute2x128_si256(m, n, 0x20)) \
      PUT(4 * (j) + 3, _mm256_permute2x128_si256(m, n, 0x31)) \
    } else {                                                 \
      PUT(2 * (j), x)                                        \
      PUT(2 * (j) + 1, y)                                    \
    }                                                        \
  }
#define PUT8(j, raw)                                                                             \
  {                                                                                              \
    const vec r = _mm256_or_si256(SYMBOLS(j), raw);                                              \
    PUT(j, _mm256_or_si256(_mm256_and_si256(_mm256_srli_epi16(r, 1), _mm256_set1_epi8(0x7F)),    \
                           _mm256_and_si256(_mm256_slli_epi16(r, 7), _mm256_set1_epi8((char)0x80)))) \
  }

INLINE void merge_units(const swzip_float_kind kind, const bool streaming, const bool sorted, const swzip_merge_input *in,
                        uint32_t first, uint32_t end, swzip_hash_lanes *hash) {
  const unsigned raw_bits = float_traits[kind].raw_bits;
  const size_t width = float_traits[kind].width, raw_bytes = 32 * raw_bits;
  const bool wide = width == 4;
  uint8_t *out = in->out + first * width * SWZIP_UNIT;
  const uint8_t *raw = in->raw_plane + first * raw_bytes, *symbols = in->symbols;
  const uint8_t *low0 = wide ? in->low0 + (size_t)first * SWZIP_UNIT : NULL;
  const uint8_t *low1 = wide ? in->low1 + (size_t)first * SWZIP_UNIT : NULL;
  const uint32_t *index = sorted ? in->index + (size_t)first * 8 : NULL;
  const vec base = _mm256_set1_epi16((short)(in->window_base << (raw_bits == 6 && !float_is_unsigned(kind) ? 5 : 6)));
  vec a = LOAD(hash->lane), b = LOAD(hash->lane + 4);
  for (uint32_t unit = first; unit < end; unit++) {
    prefetch_ahead(in, unit);
    const uint8_t *const secret = XXH3_kSecret + (unit * 4 * width & 15) * 8;
    if (raw_bits == 8) {
      _Pragma("clang loop unroll(full)") for (int j = 0; j < 8; j++) PUT16(j, LOAD(raw + 32 * j))
    } else if (raw_bits == 7) {
      const vec top7 = _mm256_set1_epi8((char)0xFE);
      vec carried = _mm256_setzero_si256();
#define ROW7(j)                                                                                                \
  {                                                                                                            \
    const vec r = LOAD(raw + 32 * (j));                                                                        \
    carried = _mm256_or_si256(carried, _mm256_and_si256(_mm256_slli_epi16(r, (j) + 1), _mm256_set1_epi8((char)(2 << (j))))); \
    PUT16(j, _mm256_and_si256(r, top7))                                                                        \
  }
      ROW7(0) ROW7(1) ROW7(2) ROW7(3) ROW7(4) ROW7(5) ROW7(6)
      PUT16(7, carried)
    } else if (raw_bits == 6) {
      const vec two = _mm256_set1_epi8(3), top6 = _mm256_set1_epi8((char)0xFC);
      _Pragma("clang loop unroll(full)") for (int half = 0; half < 2; half++) {
        const vec r0 = LOAD(raw + 96 * half), r1 = LOAD(raw + 96 * half + 32), r2 = LOAD(raw + 96 * half + 64);
        PUT16(4 * half, _mm256_and_si256(r0, top6))
        PUT16(4 * half + 1, _mm256_and_si256(r1, top6))
        PUT16(4 * half + 2, _mm256_and_si256(r2, top6))
        PUT16(4 * half + 3, _mm256_or_si256(_mm256_or_si256(_mm256_slli_epi16(_mm256_and_si256(r0, two), 2),
                                                            _mm256_slli_epi16(_mm256_and_si256(r1, two), 4)),
                                            _mm256_slli_epi16(_mm256_and_si256(r2, two), 6)))
      }
    } else if (raw_bits == 9) {
      const vec high = LOAD(raw), one = _mm256_set1_epi8(1);
      _Pragma("clang loop unroll(full)") for (int k = 0; k < 8; k++) {
        // the symbol byte holds symbol << 1: bit 8 of the raw value completes it
        const vec bit = _mm256_and_si256(_mm256_srli_epi16(high, k), one);
        vec x, y;
        weave16(kind, _mm256_or_si256(SYMBOLS(k), bit), LOAD(raw + 32 + 32 * k), base, &x, &y);
        PUT(2 * k, x)
        PUT(2 * k + 1, y)
      }
    } else if (raw_bits == 10) {
      _Pragma("clang loop unroll(full)") for (int half = 0; half < 2; half++) {
        const vec high = LOAD(raw + 160 * half);
        _Pragma("clang loop unroll(full)") for (int k = 0; k < 4; k++) {
          const vec bits = _mm256_and_si256(_mm256_srli_epi16(high, 2 * k), _mm256_set1_epi8(3));
          // the symbol byte holds symbol << 2: bits 8 and 9 of the raw value complete it
          vec x, y;
          weave16(kind, _mm256_or_si256(SYMBOLS(4 * half + k), bits), LOAD(raw + 160 * half + 32 + 32 * k), base, &x, &y);
          PUT(2 * (4 * half + k), x)
          PUT(2 * (4 * half + k) + 1, y)
        }
      }
    } else if (raw_bits == 3) {
      const vec three = _mm256_set1_epi8(7), one = _mm256_set1_epi8(1);
      const vec r0 = LOAD(raw), r1 = LOAD(raw + 32), r2 = LOAD(raw + 64);
      PUT8(0, _mm256_and_si256(r0, three)) PUT8(1, _mm256_and_si256(r1, three)) PUT8(2, _mm256_and_si256(r2, three))
      PUT8(3, _mm256_and_si256(_mm256_srli_epi16(r0, 3), three))
      PUT8(4, _mm256_and_si256(_mm256_srli_epi16(r1, 3), three))
      PUT8(5, _mm256_and_si256(_mm256_srli_epi16(r2, 3), three))
#define GATHER(bit)                                                                                           \
  _mm256_or_si256(_mm256_or_si256(_mm256_and_si256(_mm256_srli_epi16(r0, bit), one),                          \
                                  _mm256_slli_epi16(_mm256_and_si256(_mm256_srli_epi16(r1, bit), one), 1)),   \
                  _mm256_slli_epi16(_mm256_and_si256(_mm256_srli_epi16(r2, bit), one), 2))
      PUT8(6, GATHER(6))
      PUT8(7, GATHER(7))
    } else {
      const vec r0 = LOAD(raw), r1 = LOAD(raw + 32), two = _mm256_set1_epi8(3);
      _Pragma("clang loop unroll(full)") for (int k = 0; k < 4; k++) {
        PUT8(2 * k, _mm256_and_si256(_mm256_srli_epi16(r0, 2 * k), two))
        PUT8(2 * k + 1, _mm256_and_si256(_mm256_srli_epi16(r1, 2 * k), two))
      }
    }
    if (((unit + 1) * 4 * width & 15) == 0) {
      a = hash_scramble(a, XXH3_kSecret + 128);
      b = hash_scramble(b, XXH3_kSecret + 160);
    }
    out += width * SWZIP_UNIT;
    raw += raw_bytes;
    if (wide) low0 += SWZIP_UNIT, low1 += SWZIP_UNIT;
    if (sorted) index += 8;
    else symbols += SWZIP_UNIT;
  }
  STORE(hash->lane, a);
  STORE(hash->lane + 4, b);
}

MERGE(BF16_J0) MERGE(BF16_J1) MERGE(BF16_J2) MERGE(BF16_U1) MERGE(F16_J1) MERGE(F16_J2) MERGE(E4M3_J1) MERGE(E5M2_J1)
MERGE(F32_J0) MERGE(F32_J1) MERGE(F32_J2) MERGE(F32_U1)
const swzip_merge_functions swzip_merges_avx2 = {
    MERGES(BF16_J0), MERGES(BF16_J1), MERGES(BF16_J2), MERGES(BF16_U1), MERGES(F16_J1), MERGES(F16_J2),
    MERGES(E4M3_J1), MERGES(E5M2_J1), MERGES(F32_J0), MERGES(F32_J1), MERGES(F32_J2), MERGES(F32_U1),
};

bool swzip_float_decode_by(swzip_merge_function *const merges[2][2], size_t alignment, const swzip_float_block *block,
                           void *out, uint8_t *scratch, bool streaming, uint64_t *hash) {
  if ((uintptr_t)out & (alignment - 1)) streaming = false;
  const bool good = decode_block(merges, swzip_huffman_decode_avx2, block, out, scratch, streaming, hash);
  if (streaming) _mm_sfence();
  return good;
}

bool swzip_float_decode_avx2(const swzip_float_block *block, void *out, uint8_t *scratch, bool streaming, uint64_t *hash) {
  return swzip_float_decode_by(swzip_merges_avx2[block->kind], 32, block, out, scratch, streaming, hash);
}
#pragma clang attribute pop
#endif
