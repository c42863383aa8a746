// What every level shares about blocks of floats: sizes, coded parts, values without a symbol.
#include "float.h"

unsigned swzip_float_width(swzip_float_kind kind) { return float_traits[kind].width; }
unsigned swzip_float_raw_bits(swzip_float_kind kind) { return float_traits[kind].raw_bits; }
unsigned swzip_float_shift(swzip_float_kind kind) { return float_traits[kind].shift; }

size_t swzip_raw_plane_bytes(swzip_float_kind kind, uint32_t count) {
  return (size_t)((count + SWZIP_UNIT - 1) / SWZIP_UNIT) * float_traits[kind].raw_bits * (SWZIP_UNIT / 8);
}

// Sorted groups have up to three rows more than a quarter of the block holds; each sub-stream has a gap and rounding. Two lists
// of nodes of any group have room too, as a row is at most an eighth of the block.
size_t swzip_tile_bytes(uint32_t count) {
  return (size_t)count + 33 * (SWZIP_STREAM_GAP + 256) + 64;
}

size_t swzip_float_scratch_bytes(uint32_t count) {
  return ((swzip_tile_bytes(count) + 63) & ~(size_t)63) + 4 * ((size_t)count / 32 + 16);
}

uint16_t swzip_float_coded_part(swzip_float_kind kind, const void *values, uint32_t index) {
  const uint8_t *const bytes = values;
  switch (float_traits[kind].width) {
    case 1: return bytes[index];
    case 2: return load16(bytes + 2 * (size_t)index);
    default: return load16(bytes + 4 * (size_t)index + 2);
  }
}

uint32_t swzip_float_outside(swzip_float_kind kind, const void *values, uint32_t count, uint16_t window_base,
                             uint32_t *positions, uint32_t capacity) {
  uint32_t found = 0;
  for (uint32_t i = 0; i < count; i++) {
    const unsigned field = float_rotate(kind, swzip_float_coded_part(kind, values, i)) >> float_traits[kind].raw_bits;
    if (field == 0 || (field > window_base && field - window_base < 256)) continue;
    if (found < capacity) positions[found] = i;
    found++;
  }
  return found;
}
