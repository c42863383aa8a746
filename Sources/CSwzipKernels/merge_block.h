// One block of floats by the merges of a level. The including file has hashes of lanes (xxh3_lanes.h).
#ifndef SWZIP_MERGE_BLOCK_H
#define SWZIP_MERGE_BLOCK_H
#include "float.h"
#include "merge.h"
#include "tile.h"

typedef struct {
  const swzip_float_block *block;
  swzip_merge_input input;
  swzip_merge_function *const (*merges)[2];  // [streaming][sorted]
  swzip_merge_function *merge;
  swzip_hash_lanes hash;
  uint32_t units, width;
  const uint8_t *patch, *patch_end;
  bool sorted, hashed;
} block_run;

// One unit by way of a buffer: the last of the block, maybe short, or one with patches.
static NOINLINE void merge_buffered(block_run *run, uint32_t unit) {
  _Alignas(64) uint8_t buffer[64 + 4 * SWZIP_UNIT];
  const size_t unit_bytes = (size_t)run->width * SWZIP_UNIT;
  uint8_t *const out = run->input.out + unit * unit_bytes;
  swzip_merge_input input = run->input;
  swzip_hash_lanes unused = run->hash;
  input.out = buffer + 64 - unit * unit_bytes;
  run->merges[0][run->sorted](&input, unit, unit + 1, &unused);
  for (; run->patch < run->patch_end && load16(run->patch) == unit; run->patch += 6) {
    uint8_t *const value = buffer + 64 + (size_t)run->patch[2] * run->width;
    if (run->width == 1) value[0] = run->patch[4];
    else store16(value + run->width - 2, load16(run->patch + 4));
  }
  const size_t left = (size_t)run->block->count * run->width - unit * unit_bytes;
  const size_t mine = left < unit_bytes ? left : unit_bytes;
  const bool last = unit + 1 == run->units;
  if (run->hashed) {
    if (last && mine < 64) memcpy(buffer, out - 64, 64);
    hash_buffered(&run->hash, buffer + 64, mine, unit_bytes / 64, unit, last);
  }
  memcpy(out, buffer + 64, mine);
}

// Units first to end; `input.symbols` stands at the first one if the block is not sorted.
static void merge_run(block_run *run, uint32_t first, uint32_t end) {
  const uint32_t whole = run->units - 1;
  while (first < end) {
    uint32_t stop = end < whole ? end : whole;
    if (run->patch < run->patch_end && load16(run->patch) < stop) stop = load16(run->patch);
    if (stop > first) {
      run->merge(&run->input, first, stop, &run->hash);
      if (!run->sorted) run->input.symbols += (size_t)(stop - first) * SWZIP_UNIT;
      first = stop;
    }
    if (first < end) {
      merge_buffered(run, first++);
      if (!run->sorted) run->input.symbols += SWZIP_UNIT;
    }
  }
}

INLINE bool decode_block(swzip_merge_function *const merges[2][2], __typeof__(swzip_huffman_decode_portable) *huffman_decode,
                         const swzip_float_block *block, void *out, uint8_t *scratch, bool streaming, uint64_t *hash) {
  const swzip_float_kind kind = block->kind;
  const uint32_t width = float_traits[kind].width;
  const bool sorted = block->row_length != 0;
  block_run run = {
      .block = block,
      .input = {.out = out, .raw_plane = block->raw_plane, .low0 = block->low_plane[0], .low1 = block->low_plane[1],
                .window_base = block->window_base},
      .merges = merges,
      .merge = merges[streaming][sorted],
      .hash = hash_begin(),
      .units = (block->count + SWZIP_UNIT - 1) / SWZIP_UNIT,
      .width = width,
      .patch = block->patches,
      .patch_end = block->patches + 6 * (size_t)block->patch_count,
      .sorted = sorted,
      .hashed = (size_t)block->count * width > 240,
  };
  if (block->symbols) {
    run.input.ahead = (uintptr_t)block->raw_plane + block->frame_bytes;
    run.input.ahead_bytes = (uint32_t)(block->frame_bytes / run.units);
  }
  if (sorted) {
    const uint32_t rows = block->count / block->row_length;
    const swzip_geometry geometry = swzip_geometry_sorted(rows, block->row_length);
    uint32_t *const index = (uint32_t *)(void *)(scratch + ((swzip_tile_bytes(block->count) + 63) & ~(size_t)63));
    if (!(block->symbols ? index_coded_rows : index_rows)(index, block->row_groups, rows, block->row_length, &geometry))
      return false;
    // the last unit is merged whole: its chunks past the end lie anywhere in the tile
    for (uint32_t i = block->count / 32; i < run.units * 8; i++) index[i] = index[0];
    if (!block->symbols) decode_groups(block, &geometry, scratch, huffman_decode);
    run.input.symbols = block->symbols ? block->symbols : scratch;
    run.input.index = index;
    merge_run(&run, 0, run.units);
  } else if (block->symbols) {
    run.input.symbols = block->symbols;
    merge_run(&run, 0, run.units);
  } else {
    const swzip_geometry geometry = swzip_geometry_unsorted(block->count);
    const uint32_t length = geometry.stream[0], stride = length + SWZIP_STREAM_GAP;
    const size_t raw_unit = 32 * (size_t)float_traits[kind].raw_bits, raw_bytes = raw_unit * run.units;
    uint32_t unit = 0;
    for (int g = 0; g < 4 && geometry.values[g]; g++) {
      const size_t from = raw_unit * unit, to = from + raw_unit * (8 * length / SWZIP_UNIT);
      const swzip_prefetch plane = {block->raw_plane + from, block->raw_plane + (to < raw_bytes ? to : raw_bytes)};
      huffman_decode(block->streams, block->stream_offset + 8 * g, length, geometry.values[g],
                     scratch + SWZIP_STREAM_GAP, stride, block->table[g], ahead_of(block, g), plane);
      for (uint32_t k = 0; k < 8 && k * length < geometry.values[g]; k++) {
        const uint32_t end = unit + length / SWZIP_UNIT < run.units ? unit + length / SWZIP_UNIT : run.units;
        run.input.symbols = scratch + SWZIP_STREAM_GAP + (size_t)k * stride;
        merge_run(&run, unit, end);
        unit = end;
      }
    }
  }
  const size_t byte_count = (size_t)block->count * width;
  *hash = run.hashed ? hash_end(&run.hash, byte_count) : xxh3_64(out, byte_count, 0);
  return true;
}
#endif
