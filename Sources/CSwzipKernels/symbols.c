// Symbols without planes: decoded from Huffman streams, and expanded by a palette.
#include "kernels.h"

void swzip_symbols_decode(const uint8_t *streams, const uint32_t offset[SWZIP_STREAMS + 1], uint32_t count,
                          const swzip_decode_table *const tables[4], uint8_t *tile, uint8_t *out) {
  const swzip_geometry geometry = swzip_geometry_unsorted(count);
  uint32_t done = 0;
  for (int g = 0; g < 4 && geometry.values[g]; g++) {
    const uint32_t length = geometry.stream[g], stride = length + SWZIP_STREAM_GAP;
    swzip_kernels()->huffman_decode(streams, offset + 8 * g, length, geometry.values[g], tile + SWZIP_STREAM_GAP, stride,
                                    tables[g], (swzip_prefetch){0}, (swzip_prefetch){0});
    for (uint32_t k = 0; k < 8 && k * length < geometry.values[g]; k++) {
      const uint32_t left = geometry.values[g] - k * length, mine = left < length ? left : length;
      memcpy(out + done, tile + SWZIP_STREAM_GAP + (size_t)k * stride, mine);
      done += mine;
    }
  }
}

void swzip_palette_entries(const uint8_t *values, size_t count, size_t width, size_t per_symbol,
                           uint8_t entries[256 * 64]) {
  size_t symbols = 1;
  memset(entries, 0, 64);
  for (size_t place = 0; place < per_symbol; place++) {
    // Symbols with one digit more: those there are, before each value. The first value's are in their place.
    for (size_t value = count; value-- > 0;)
      for (size_t s = 0; s < symbols; s++) {
        uint8_t *const entry = entries + 64 * (value * symbols + s);
        if (value > 0) memcpy(entry, entries + 64 * s, 64);
        memcpy(entry + place * width, values + value * width, width);
      }
    symbols *= count;
  }
  memset(entries + 64 * symbols, 0, 64 * (256 - symbols));
}

void swzip_palette_expand(const uint8_t *symbols, const uint8_t *palette, size_t entry_bytes, uint8_t *out,
                          size_t byte_count) {
  // A copy of a fixed size is one load and one store; what it writes too much the next one covers, but for the last.
#define EXPAND(size)                                                                                          \
  for (; done + size <= byte_count; done += entry_bytes) memcpy(out + done, palette + 64 * (size_t)*symbols++, size);
  size_t done = 0;
  if (entry_bytes == 2) { EXPAND(2) }
  else if (entry_bytes <= 4) { EXPAND(4) }
  else if (entry_bytes <= 8) { EXPAND(8) }
  else if (entry_bytes <= 16) { EXPAND(16) }
  else { EXPAND(64) }
#undef EXPAND
  for (; done < byte_count; done += entry_bytes) {
    const size_t left = byte_count - done;
    memcpy(out + done, palette + 64 * (size_t)*symbols++, left < entry_bytes ? left : entry_bytes);
  }
}
