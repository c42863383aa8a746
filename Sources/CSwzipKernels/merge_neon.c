// NEON: blocks of floats, merged and hashed at once.
//
// 16 symbols and their 16 raw bytes are zipped into two vectors of 16-bit values, rotated back, stored, and fed to XXH3's
// accumulators while they are in registers. A unit goes by columns: 16 of all its eight rows, then the others; stripes of XXH3
// may come in any order between two scrambles. The last unit of a block and units with patches go through a small buffer.
#if defined(__aarch64__)
#include "float_neon.h"
#include "xxh3_neon.h"

#include "merge_block.h"

INLINE void merge_units(const swzip_float_kind kind, const bool streaming, const bool sorted, const swzip_merge_input *in,
                        uint32_t first, uint32_t end, swzip_hash_lanes *lanes) {
  (void)streaming;
  const unsigned raw_bits = float_traits[kind].raw_bits;
  const size_t width = float_traits[kind].width, raw_bytes = 32 * raw_bits;
  uint8_t *out = in->out + first * width * SWZIP_UNIT;
  const uint8_t *raw = in->raw_plane + first * raw_bytes, *symbols = in->symbols;
  const uint8_t *low0 = width == 4 ? in->low0 + (size_t)first * SWZIP_UNIT : NULL;
  const uint8_t *low1 = width == 4 ? in->low1 + (size_t)first * SWZIP_UNIT : NULL;
  const uint32_t *index = sorted ? in->index + (size_t)first * 8 : NULL;
  const uint16x8_t base = vdupq_n_u16((uint16_t)(in->window_base << (raw_bits == 6 && !float_is_unsigned(kind) ? 5 : 6)));
  hash_vectors hash = hash_load(lanes);
  for (uint32_t unit = first; unit < end; unit++) {
    const uint8_t *const secret = XXH3_kSecret + (unit * 4 * width & 15) * 8;
    UNROLL for (unsigned column = 0; column < 32; column += 16) {
      vec low[8], high[8], value[8];
      load_raw(raw_bits, raw + column, low, high);
      UNROLL for (unsigned j = 0; j < 8; j++) {
        const unsigned at = 32 * j + column;
        const vec s = LOAD(sorted ? symbols + index[j] + column : symbols + at);
        if (width == 1) {
          const vec rotated = s | low[j];
          value[j] = vsliq_n_u8(rotated >> 1, rotated, 7);
          if (j & 1) put(out, value[j - 1], at - 32, value[j], at, &hash, secret);
          continue;
        }
        const vec top = raw_bits >= 9 ? s | high[j] : s;
        const uint16x8_t x = join16(kind, (uint16x8_t)vzip1q_u8(low[j], top), base);
        const uint16x8_t y = join16(kind, (uint16x8_t)vzip2q_u8(low[j], top), base);
        if (width == 2) {
          put(out, (vec)x, 2 * at, (vec)y, 2 * at + 16, &hash, secret);
        } else {
          const vec p = LOAD(low0 + at), q = LOAD(low1 + at);
          const uint16x8_t l = (uint16x8_t)vzip1q_u8(p, q), m = (uint16x8_t)vzip2q_u8(p, q);
          put(out, (vec)vzip1q_u16(l, x), 4 * at, (vec)vzip2q_u16(l, x), 4 * at + 16, &hash, secret);
          put(out, (vec)vzip1q_u16(m, y), 4 * at + 32, (vec)vzip2q_u16(m, y), 4 * at + 48, &hash, secret);
        }
      }
    }
    if (((unit + 1) * 4 * width & 15) == 0) hash_scramble(&hash);
    out += width * SWZIP_UNIT;
    raw += raw_bytes;
    if (width == 4) low0 += SWZIP_UNIT, low1 += SWZIP_UNIT;
    if (sorted) index += 8;
    else symbols += SWZIP_UNIT;
  }
  hash_store(lanes, hash);
}

MERGE_CACHED(BF16_J0) MERGE_CACHED(BF16_J1) MERGE_CACHED(BF16_J2) MERGE_CACHED(BF16_U1) MERGE_CACHED(F16_J1) MERGE_CACHED(F16_J2)
MERGE_CACHED(E4M3_J1) MERGE_CACHED(E5M2_J1) MERGE_CACHED(F32_J0) MERGE_CACHED(F32_J1) MERGE_CACHED(F32_J2) MERGE_CACHED(F32_U1)
static const swzip_merge_functions merges = {
    MERGES_CACHED(BF16_J0), MERGES_CACHED(BF16_J1), MERGES_CACHED(BF16_J2), MERGES_CACHED(BF16_U1),
    MERGES_CACHED(F16_J1),  MERGES_CACHED(F16_J2),  MERGES_CACHED(E4M3_J1), MERGES_CACHED(E5M2_J1),
    MERGES_CACHED(F32_J0),  MERGES_CACHED(F32_J1),  MERGES_CACHED(F32_J2),  MERGES_CACHED(F32_U1),
};

// All stores go through the cache: `streaming` is a hint.
bool swzip_float_decode_neon(const swzip_float_block *block, void *out, uint8_t *scratch, bool streaming, uint64_t *hash) {
  (void)streaming;
  return decode_block(merges[block->kind], swzip_huffman_decode_portable, block, out, scratch, false, hash);
}
#endif
