// Huffman streams (spec/codecs/huffman.md): their geometry and their coding, symbol by symbol.
#include "huffman.h"

swzip_geometry swzip_geometry_unsorted(uint32_t value_count) {
  swzip_geometry geometry;
  const uint32_t stream = ((value_count + SWZIP_STREAMS - 1) / SWZIP_STREAMS + 255) / 256 * 256;
  for (uint32_t g = 0; g < 4; g++) {
    const uint32_t start = 8 * stream * g;
    geometry.stream[g] = stream;
    geometry.values[g] = value_count > start + 8 * stream ? 8 * stream : value_count > start ? value_count - start : 0;
  }
  return geometry;
}

swzip_geometry swzip_geometry_sorted(uint32_t rows, uint32_t row_length) {
  swzip_geometry geometry;
  const uint32_t share = (rows + 3) / 4;
  for (uint32_t g = 0; g < 4; g++) {
    const uint32_t start = share * g;
    const uint32_t mine = rows > start + share ? share : rows > start ? rows - start : 0;
    geometry.values[g] = mine * row_length;
    geometry.stream[g] = ((geometry.values[g] + 7) / 8 + 31) / 32 * 32;
  }
  return geometry;
}

void swzip_huffman_decode_portable(const uint8_t *streams, const uint32_t *position, int64_t length, int64_t values,
                                   uint8_t *low, size_t stride, const swzip_decode_table *table, swzip_prefetch ahead,
                                   swzip_prefetch plane) {
  huffman_decode(streams, position, length, values, low, stride, table, ahead, plane);
}

uint8_t *swzip_huffman_encode_portable(const uint8_t *symbols, size_t count, const swzip_encode_table *table,
                                       uint8_t *out, uint32_t first_position, uint32_t *missing,
                                       uint32_t missing_capacity, uint32_t *missing_count) {
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
