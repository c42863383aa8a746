// Merges symbols and raw planes to floats, value by value.
#include "float.h"
#include "tile.h"

static void store_value(swzip_float_kind kind, const swzip_float_block *block, uint8_t *out, uint32_t i,
                        unsigned coded) {
  switch (float_traits[kind].width) {
    case 1: out[i] = (uint8_t)coded; break;
    case 2: store16(out + 2 * (size_t)i, (uint16_t)coded); break;
    default: store32(out + 4 * (size_t)i, block->low_plane[0][i] | (uint32_t)block->low_plane[1][i] << 8 | coded << 16);
  }
}

bool swzip_float_decode_portable(const swzip_float_block *block, void *out, uint8_t *scratch, bool streaming,
                                 uint64_t *hash) {
  (void)streaming;
  const swzip_float_kind kind = block->kind;
  const unsigned raw_bits = float_traits[kind].raw_bits, shift = float_traits[kind].shift;
  const bool sorted = block->row_length != 0;
  const uint32_t rows = sorted ? block->count / block->row_length : 0;
  const swzip_geometry geometry =
      sorted ? swzip_geometry_sorted(rows, block->row_length) : swzip_geometry_unsorted(block->count);
  uint32_t *const index = (uint32_t *)(void *)(scratch + ((swzip_tile_bytes(block->count) + 63) & ~(size_t)63));
  if (sorted && !(block->symbols ? index_coded_rows : index_rows)(index, block->row_groups, rows, block->row_length, &geometry))
    return false;
  if (!block->symbols) decode_groups(block, &geometry, scratch, swzip_huffman_decode_portable);
  const uint32_t length = geometry.stream[0];
  for (uint32_t i = 0; i < block->count; i++) {
    const size_t place = sorted           ? index[i / 32] + i % 32
                         : block->symbols ? i
                                          : SWZIP_STREAM_GAP + (size_t)(i / length) * (length + SWZIP_STREAM_GAP) + i % length;
    const unsigned symbol = (block->symbols ? block->symbols : scratch)[place] >> shift;
    const unsigned field = symbol ? symbol + block->window_base : 0;
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
