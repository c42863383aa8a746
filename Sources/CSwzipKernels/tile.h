// The tile of a block: what decodes its symbols there, and where those of sorted rows lie.
#ifndef SWZIP_TILE_H
#define SWZIP_TILE_H
#include "kernels.h"

// Where the symbols of each chunk of 32 values (natural order) lie in the tile of a sorted block. False if some group
// does not have exactly its number of rows.
INLINE bool index_rows(uint32_t *index, const uint8_t *row_groups, uint32_t rows, uint32_t row_length,
                       const swzip_geometry *geometry) {
  uint32_t position[4], used[4] = {0}, left[4], start = SWZIP_STREAM_GAP;
  for (int g = 0; g < 4; g++) {
    position[g] = start;
    left[g] = geometry->stream[g];
    start += 8 * (geometry->stream[g] + SWZIP_STREAM_GAP);
  }
  const uint32_t chunks = row_length / 32;
  for (uint32_t row = 0; row < rows; row++) {
    const int g = row_groups[row >> 2] >> 2 * (row & 3) & 3;
    if (used[g] + row_length > geometry->values[g]) return false;
    used[g] += row_length;
    uint32_t at = position[g], room = left[g];
    if (room > row_length) {  // the whole row lies in one sub-stream
      for (uint32_t c = 0; c < chunks; c++) index[c] = at + 32 * c;
      at += row_length;
      room -= row_length;
    } else for (uint32_t c = 0; c < chunks;) {
      uint32_t run = room / 32 < chunks - c ? room / 32 : chunks - c;
      room -= 32 * run;
      for (; run; run--, at += 32) index[c++] = at;
      if (!room) {
        at += SWZIP_STREAM_GAP;
        room = geometry->stream[g];
      }
    }
    index += chunks;
    position[g] = at;
    left[g] = room;
  }
  return used[0] == geometry->values[0] && used[1] == geometry->values[1] && used[2] == geometry->values[2] &&
         used[3] == geometry->values[3];
}

// The same where symbols lie in coded order, without gaps.
INLINE bool index_coded_rows(uint32_t *index, const uint8_t *row_groups, uint32_t rows, uint32_t row_length,
                             const swzip_geometry *geometry) {
  uint32_t position[4], end[4], start = 0;
  for (int g = 0; g < 4; g++) {
    position[g] = start;
    end[g] = start += geometry->values[g];
  }
  for (uint32_t row = 0; row < rows; row++) {
    const int g = row_groups[row >> 2] >> 2 * (row & 3) & 3;
    if (end[g] - position[g] < row_length) return false;
    for (uint32_t c = 0; c < row_length; c += 32) *index++ = position[g] + c;
    position[g] += row_length;
  }
  return true;  // as many rows as fit: every group has its own
}

// What comes into the cache while group g is decoded: the streams of the next group, or those of the next block's first,
// which lie where this block's do.
INLINE swzip_prefetch ahead_of(const swzip_float_block *block, int g) {
  const uint32_t *const offset = block->stream_offset;
  if (g < 3) return (swzip_prefetch){block->streams + offset[8 * g + 8], block->streams + offset[8 * g + 16]};
  const uint8_t *const next = (const uint8_t *)((uintptr_t)block->streams + block->frame_bytes);
  return (swzip_prefetch){next, (const uint8_t *)((uintptr_t)next + offset[8])};
}

// Decodes all groups into `tile`, where they follow each other.
INLINE void decode_groups(const swzip_float_block *block, const swzip_geometry *geometry, uint8_t *tile,
                          __typeof__(swzip_huffman_decode_portable) *decode) {
  uint8_t *low = tile + SWZIP_STREAM_GAP;
  const size_t plane_bytes = swzip_raw_plane_bytes(block->kind, block->count);
  for (int g = 0; g < 4 && geometry->values[g]; g++) {
    const uint32_t stride = geometry->stream[g] + SWZIP_STREAM_GAP;
    const swzip_prefetch plane = {block->raw_plane + plane_bytes * (size_t)g / 4,
                                  block->raw_plane + plane_bytes * (size_t)(g + 1) / 4};
    decode(block->streams, block->stream_offset + 8 * g, geometry->stream[g], geometry->values[g], low, stride,
           block->table[g], ahead_of(block, g), plane);
    low += 8 * (size_t)stride;
  }
}
#endif
