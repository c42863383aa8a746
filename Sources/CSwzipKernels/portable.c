// The definition: every kernel in plain C, value by value. Other levels give the same bytes.
#include "float.h"
#include "huffman_decode_body.h"
#include "kernels.h"
#include "xxh3.h"

static void store_value(swzip_float_kind kind, const swzip_float_block *block, uint8_t *out, uint32_t i,
                        unsigned coded) {
  switch (float_traits[kind].width) {
    case 1: out[i] = (uint8_t)coded; break;
    case 2: store16(out + 2 * (size_t)i, (uint16_t)coded); break;
    default: store32(out + 4 * (size_t)i, block->low_plane[0][i] | (uint32_t)block->low_plane[1][i] << 8 | coded << 16);
  }
}

static bool float_decode(const swzip_float_block *block, void *out, uint8_t *scratch, bool streaming, uint64_t *hash) {
  (void)streaming;
  const swzip_float_kind kind = block->kind;
  const unsigned raw_bits = float_traits[kind].raw_bits, shift = float_traits[kind].shift;
  const bool sorted = block->row_length != 0;
  const uint32_t rows = sorted ? block->count / block->row_length : 0;
  const swzip_geometry geometry =
      sorted ? swzip_geometry_sorted(rows, block->row_length) : swzip_geometry_unsorted(block->count);
  uint32_t *const index = (uint32_t *)(void *)(scratch + ((swzip_tile_bytes(block->count) + 63) & ~(size_t)63));
  if (sorted && !index_rows(index, block->row_groups, rows, block->row_length, &geometry)) return false;
  if (!block->symbols) decode_groups(block, &geometry, scratch);
  const uint32_t length = geometry.stream[0];
  for (uint32_t i = 0; i < block->count; i++) {
    const size_t place = sorted ? index[i / 32] + i % 32
                                : SWZIP_STREAM_GAP + (size_t)(i / length) * (length + SWZIP_STREAM_GAP) + i % length;
    const unsigned symbol = (block->symbols ? block->symbols[i] : scratch[place]) >> shift, field = symbol ? symbol + block->window_base : 0;
    const uint8_t *const unit = block->raw_plane + (size_t)(i / SWZIP_UNIT) * raw_bits * 32;
    const unsigned rotated = field << raw_bits | raw_get(raw_bits, unit, i % SWZIP_UNIT);
    store_value(kind, block, out, i, float_unrotate(kind, rotated));
  }
  for (uint32_t p = 0; p < block->patch_count; p++) {
    const uint8_t *const patch = block->patches + 6 * (size_t)p;
    store_value(kind, block, out, load16(patch) * 256u + patch[2], load16(patch + 4));
  }
  *hash = swzip_xxh3_64_portable(out, (size_t)block->count * float_traits[kind].width, 0);
  return true;
}

static bool float_split(swzip_float_kind kind, const void *values, uint32_t count, uint16_t window_base,
                        uint8_t *symbols, uint8_t *raw_plane, uint8_t *low0, uint8_t *low1) {
  const unsigned raw_bits = float_traits[kind].raw_bits;
  const uint32_t whole = (count + SWZIP_UNIT - 1) / SWZIP_UNIT * SWZIP_UNIT;
  bool outside = false;
  memset(raw_plane, 0, swzip_raw_plane_bytes(kind, count));
  for (uint32_t i = 0; i < whole; i++) {
    const bool real = i < count;
    const unsigned rotated = real ? float_rotate(kind, swzip_float_coded_part(kind, values, i)) : 0;
    const unsigned field = rotated >> raw_bits;
    const bool fits = field == 0 || (field > window_base && field - window_base < 256);
    // Without a symbol: what the vector code's saturating steps give; a patch follows.
    symbols[i] = (uint8_t)(field <= window_base ? 0 : field - window_base > 255 ? 255 : field - window_base);
    outside |= !fits;
    raw_put(raw_bits, raw_plane + (size_t)(i / SWZIP_UNIT) * raw_bits * 32, i % SWZIP_UNIT,
            rotated & ((1u << raw_bits) - 1));
    if (float_traits[kind].width == 4) {
      const uint32_t low = real ? load16((const uint8_t *)values + 4 * (size_t)i) : 0;
      low0[i] = (uint8_t)low;
      low1[i] = (uint8_t)(low >> 8);
    }
  }
  return outside;
}

static uint32_t fixed4_escapes(const uint8_t *codes, uint32_t count) {
  uint32_t found = 0;
  const uint32_t units = (count + 63) / 64;
  for (size_t i = 0; i < (size_t)units * 32; i++) found += (uint32_t)((codes[i] & 15) == 15) + (codes[i] >> 4 == 15);
  return found;
}

static void fixed4_decode(const uint8_t *codes, const uint8_t *codebook, const uint8_t *raw_plane,
                          const uint8_t *escapes, uint32_t count, void *out, bool streaming, uint64_t *hash) {
  (void)streaming;
  for (uint32_t i = 0; i < count; i++) {
    const unsigned code = codes[i / 64 * 32 + i % 32] >> (i % 64 < 32 ? 0 : 4) & 15;
    const unsigned symbol = code == 15 ? *escapes++ : codebook[code];
    store16((uint8_t *)out + 2 * (size_t)i, (uint16_t)float_unrotate(SWZIP_BF16_J0, symbol << 8 | raw_plane[i]));
  }
  *hash = swzip_xxh3_64_portable(out, 2 * (size_t)count, 0);
}

static uint32_t fixed4_encode(const void *values, uint32_t count, uint8_t window_first, uint8_t *codes,
                              uint8_t *raw_plane, uint8_t *escapes) {
  uint32_t escaped = 0;
  memset(codes, 0, (size_t)(count + 63) / 64 * 32);
  memset(raw_plane, 0, swzip_raw_plane_bytes(SWZIP_BF16_J0, count));
  for (uint32_t i = 0; i < count; i++) {
    const unsigned rotated = float_rotate(SWZIP_BF16_J0, load16((const uint8_t *)values + 2 * (size_t)i));
    const unsigned symbol = rotated >> 8, step = symbol - window_first;
    const unsigned code = symbol == 0 ? 0 : step < 14 ? step + 1 : 15;
    if (code == 15) escapes[escaped++] = (uint8_t)symbol;
    codes[i / 64 * 32 + i % 32] |= (uint8_t)(code << (i % 64 < 32 ? 0 : 4));
    raw_plane[i] = (uint8_t)rotated;
  }
  return escaped;
}

static uint8_t *huffman_encode(const uint8_t *symbols, size_t count, const swzip_encode_table *table, uint8_t *out,
                               uint32_t first_position, uint32_t *missing, uint32_t missing_capacity,
                               uint32_t *missing_count) {
  uint64_t bits = 0;
  unsigned held = 0;
  for (size_t i = count; i-- > 0;) {
    unsigned symbol = symbols[i];
    if (!table->length[symbol]) {
      if (*missing_count < missing_capacity) missing[*missing_count] = first_position + (uint32_t)i;
      (*missing_count)++;
      symbol = table->cheapest;
    }
    bits |= (uint64_t)table->code[symbol] << held;
    held += table->length[symbol];
    for (; held >= 8; held -= 8, bits >>= 8) *out++ = (uint8_t)bits;
  }
  if (held) *out++ = (uint8_t)bits;
  return out;
}

static void row_sums(const uint8_t *symbols, uint32_t rows, uint32_t row_length, uint32_t *sums) {
  for (uint32_t row = 0; row < rows; row++, symbols += row_length) {
    uint32_t sum = 0;
    for (uint32_t i = 0; i < row_length; i++) sum += symbols[i];
    sums[row] = sum;
  }
}

static void rans_numbers(const uint8_t *row_classes, size_t rows, const uint8_t *columns, size_t row_length,
                         const uint8_t *map, uint8_t *numbers) {
  for (size_t row = 0; row < rows; row++, numbers += row_length) {
    if (columns) for (size_t j = 0; j < row_length; j++) numbers[j] = map[row_classes[row] + columns[j]];
    else memset(numbers, map[row_classes[row]], row_length);
  }
}

const swzip_kernel_set swzip_kernels_portable = {
    .rans_decode = swzip_rans_decode_portable,
    .rans_numbers = rans_numbers,
    .sparse_expand = swzip_sparse_expand_portable,
    .xxh3_64 = swzip_xxh3_64_portable,
    .xxh3_128_add = swzip_xxh3_128_add_portable,
    .table_build = swzip_table_build_simple,
    .huffman_encode = huffman_encode,
    .symbols_decode = symbols_decode,
    .float_decode = float_decode,
    .float_split = float_split,
    .fixed4_escapes = fixed4_escapes,
    .fixed4_decode = fixed4_decode,
    .fixed4_encode = fixed4_encode,
    .row_sums = row_sums,
    .histogram_add = swzip_histogram_add_plain,
    .delta_symbols = swzip_delta_symbols_portable,
    .delta_low_bits = swzip_delta_low_bits_portable,
    .delta_numbers = swzip_delta_numbers_portable,
    .delta_apply = swzip_delta_apply_portable,
    .delta_dense = swzip_delta_dense_portable,
    .predict = swzip_predict_portable,
};
