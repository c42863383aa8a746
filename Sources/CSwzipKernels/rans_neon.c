// NEON: rANS of eight states in two vectors, four times in flight; entries come by loads of their own. Gives the symbols of rans.c.
#if defined(__aarch64__)
#include "vector_neon.h"
#include "rans.h"

INLINE uint32x4_t gather(const uint32_t *entries, uint32x4_t index) {
  const uint64_t low = vgetq_lane_u64((uint64x2_t)index, 0), high = vgetq_lane_u64((uint64x2_t)index, 1);
  uint32x4_t v = vdupq_n_u32(entries[(uint32_t)low]);
  v = vsetq_lane_u32(entries[low >> 32], v, 1);
  v = vsetq_lane_u32(entries[(uint32_t)high], v, 2);
  return vsetq_lane_u32(entries[high >> 32], v, 3);
}

// f * (x / 4096) + slot - s
INLINE uint32x4_t next_state(uint32x4_t x, uint32x4_t entry) {
  const uint32x4_t twelve = vdupq_n_u32(0xFFF);
  return vmlaq_u32(vshrq_n_u32(entry, 12) & twelve, entry & twelve, vshrq_n_u32(x, 12));
}

// One turn of eight states, whose words begin at word `*at`.
INLINE void turn(uint32x4_t x[2], const uint8_t *numbers, const uint32_t *entries, const uint8_t *words, size_t *at,
                 uint8_t *symbols) {
  const uint32x4_t twelve = vdupq_n_u32(SWZIP_RANS_SLOTS - 1);
  const uint16x8_t table = numbers ? vmovl_u8(vld1_u8(numbers)) : vdupq_n_u16(0);
  const uint32x4_t a = gather(entries, vshll_n_u16(vget_low_u16(table), 12) | (x[0] & twelve));
  const uint32x4_t b = gather(entries, vshll_high_n_u16(table, 12) | (x[1] & twelve));
  vst1_u8(symbols, vshrn_n_u16(vuzp2q_u16((uint16x8_t)a, (uint16x8_t)b), 8));
  x[0] = next_state(x[0], a);
  x[1] = next_state(x[1], b);
  // The sum of the lanes that need a word has their bits below and their number above.
  static const uint16_t lane[8] = {0x101, 0x102, 0x104, 0x108, 0x110, 0x120, 0x140, 0x180};
  const uint32x4_t low_a = vcltq_u32(x[0], vdupq_n_u32(SWZIP_RANS_LOW)), low_b = vcltq_u32(x[1], vdupq_n_u32(SWZIP_RANS_LOW));
  const uint16x8_t low = vuzp1q_u16((uint16x8_t)low_a, (uint16x8_t)low_b);
  const unsigned sum = vaddvq_u16(low & vld1q_u16(lane));
  const vec place = (vec)vld1q_u64(swzip_word_places[sum & 255]);
  const uint16x8_t in = (uint16x8_t)vqtbl1q_u8(LOAD(words + 2 * *at), place);
  const uint16x8_t rest = vuzp1q_u16((uint16x8_t)x[0], (uint16x8_t)x[1]);
  x[0] = vbslq_u32(low_a, (uint32x4_t)vzip1q_u16(in, rest), x[0]);
  x[1] = vbslq_u32(low_b, (uint32x4_t)vzip2q_u16(in, rest), x[1]);
  *at += sum >> 8;
}

INLINE bool rans_decode(const uint8_t *words, size_t word_count, const uint8_t *states, size_t count, const uint8_t *numbers,
                        const swzip_rans_table *tables, uint8_t *symbols) {
  uint32x4_t v[8];
  UNROLL for (int k = 0; k < 8; k++) v[k] = (uint32x4_t)LOAD(states + 16 * k);
  size_t at = 0, i = 0;
  const size_t whole = count & ~(size_t)31;
  // within the slack behind the words, a turn's loads are safe wherever it begins
  for (; i < whole && at <= word_count; i += 32)
    UNROLL for (size_t k = 0; k < 32; k += 8)
      turn(v + k / 4, numbers ? numbers + i + k : NULL, tables->entry, words, &at, symbols + i + k);
  uint32_t x[SWZIP_STREAMS];
  UNROLL for (int k = 0; k < 8; k++) vst1q_u32(x + 4 * k, v[k]);
  return rans_decode_from(words, word_count, x, i, count, numbers, tables, symbols, &at) &&
         rans_is_finished(x, at, word_count);
}

bool swzip_rans_decode_neon(const uint8_t *words, size_t word_count, const uint8_t *states, size_t count,
                            const uint8_t *numbers, const swzip_rans_table *tables, uint8_t *symbols) {
  return numbers ? rans_decode(words, word_count, states, count, numbers, tables, symbols)
                 : rans_decode(words, word_count, states, count, NULL, tables, symbols);
}

// A row's class shifts the map; the columns' classes then choose among 16 neighbours.
void swzip_rans_numbers_neon(const uint8_t *row_classes, size_t rows, const uint8_t *columns, size_t row_length,
                             const uint8_t *map, uint8_t *numbers) {
  for (size_t row = 0; row < rows; row++, numbers += row_length) {
    const uint8_t *const mine = map + row_classes[row];
    if (!columns) {
      memset(numbers, *mine, row_length);
      continue;
    }
    const vec chosen = LOAD(mine);
    size_t j = 0;
    for (; j + 16 <= row_length; j += 16) STORE(numbers + j, vqtbl1q_u8(chosen, LOAD(columns + j)));
    for (; j < row_length; j++) numbers[j] = mine[columns[j]];
  }
}
#endif
