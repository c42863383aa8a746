// Huffman tables and streams in C alone: tables of arbitrary counts are built by each level of the processor and by
// the definition, arbitrary streams are decoded by each, and what was encoded comes out again.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kernels.h"

static void require(int condition) {
  if (!condition) abort();
}

// The levels that this processor has, from the portable one up.
#define EACH_LEVEL(level)                             \
  for (int level = 0; level < SWZIP_LEVELS; level++)  \
    if (swzip_level_choose((swzip_level)level))

static void *exactly(size_t size) {
  void *bytes = malloc(size ? size : 1);
  require(bytes != NULL);
  memset(bytes, 0, size);
  return bytes;
}

// All levels decode the same symbols from the same streams.
static void decode(const uint8_t *streams, const uint32_t offset[SWZIP_STREAMS + 1], uint32_t count,
                   const swzip_decode_table *table, const uint8_t *expected) {
  uint8_t *tile = exactly(swzip_tile_bytes(count));
  uint8_t *out[2] = {exactly(count), exactly(count)};
  const swzip_decode_table *const tables[4] = {table, table, table, table};
  EACH_LEVEL(level) {
    swzip_symbols_decode(streams, offset, count, tables, tile, out[level > 0]);
    require(level == 0 || memcmp(out[0], out[1], count) == 0);
  }
  if (expected) require(memcmp(out[0], expected, count) == 0);
  free(out[0]);
  free(out[1]);
  free(tile);
}

// Encodes the symbols as 32 streams, the end at offset[32]; each level writes the same bytes.
static uint8_t *encode(const uint8_t *symbols, uint32_t count, const swzip_encode_table *table,
                       uint32_t offset[SWZIP_STREAMS + 1]) {
  const swzip_geometry geometry = swzip_geometry_unsorted(count);
  const size_t size = (size_t)count * 11 / 8 + 16 * (SWZIP_STREAMS + 1) + SWZIP_INPUT_SLACK;
  uint8_t *const streams = exactly(size), *const other = exactly(size);
  EACH_LEVEL(level) {
    uint8_t *const start = level ? other : streams, *end = start;
    uint32_t missing[1], missing_count = 0;
    for (uint32_t s = 0; s < SWZIP_STREAMS; s++) {
      const uint32_t length = geometry.stream[0], from = s * length < count ? s * length : count;
      const uint32_t to = from + length < count ? from + length : count;
      offset[s] = (uint32_t)(end - start);
      if (to > from) end = swzip_huffman_encode(symbols + from, to - from, table, end, from, missing, 1, &missing_count);
    }
    offset[SWZIP_STREAMS] = (uint32_t)(end - start);
    require(missing_count == 0);
    require(level == 0 || memcmp(streams, other, offset[SWZIP_STREAMS]) == 0);
  }
  free(other);
  return streams;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 8) return 0;
  // u16 number of values, u8 spread of the stream lengths, then bytes that are symbols and streams at once.
  const uint32_t count = 1 + (uint32_t)load16(data) % 20000;
  const unsigned spread = data[2], shift = data[3] & 1;
  const uint8_t *const bytes = data + 4;
  size -= 4;
  uint32_t counts[256] = {0};
  uint8_t *const symbols = exactly((size_t)count + 31);
  for (uint32_t i = 0; i < count; i++) {
    symbols[i] = (uint8_t)(bytes[i % size] >> (spread & 3));
    counts[symbols[i]] += 1 + (i < size ? i % 1024 * 8 : 0); // Skewed; the sum fits 32 bits.
  }
  counts[symbols[0] ^ 1] += 1; // Two symbols at least.

  uint8_t lengths[256];
  swzip_code_lengths(counts, lengths);
  unsigned kraft = 0;
  for (int s = 0; s < 256; s++) {
    require(lengths[s] <= SWZIP_CODE_BITS && (lengths[s] != 0) == (counts[s] != 0));
    if (lengths[s]) kraft += 1u << (SWZIP_CODE_BITS - lengths[s]);
  }
  require(kraft == 1u << SWZIP_CODE_BITS);

  swzip_decode_table *const tables = exactly(2 * sizeof *tables);
  swzip_decode_table_build_portable(lengths, shift, &tables[0]);
  EACH_LEVEL(level) {
    swzip_decode_table_build(lengths, shift, &tables[1]);
    require(memcmp(tables[1].entry, tables[0].entry, sizeof tables[0].entry) == 0);
    require(tables[1].max_count >= tables[0].max_count);
  }

  // What was encoded comes out.
  swzip_encode_table encoder;
  swzip_encode_table_build(lengths, counts, &encoder);
  uint32_t offset[SWZIP_STREAMS + 1];
  uint8_t *const streams = encode(symbols, count, &encoder, offset);
  uint8_t *const packed = exactly((size_t)offset[SWZIP_STREAMS] + SWZIP_INPUT_SLACK);
  memcpy(packed, streams, offset[SWZIP_STREAMS]);
  for (uint32_t i = 0; i < count; i++) symbols[i] = (uint8_t)(symbols[i] << shift);
  decode(packed, offset, count, &tables[1], symbols);
  free(packed);
  free(streams);

  // Arbitrary bytes as streams of arbitrary lengths.
  uint32_t end = 0;
  for (int s = 0; s < SWZIP_STREAMS; s++) {
    offset[s] = end;
    end += (bytes[(size_t)s % size] & spread) % 64;
  }
  offset[SWZIP_STREAMS] = end;
  uint8_t *const hostile = exactly((size_t)end + SWZIP_INPUT_SLACK);
  for (uint32_t i = 0; i < end; i++) hostile[i] = bytes[i % size];
  decode(hostile, offset, count, &tables[1], NULL);
  free(hostile);
  free(tables);
  free(symbols);
  return 0;
}
