// The loops that code symbols: Huffman tables, sub-streams and nodes, palettes, rANS. As swzip_kernels.h says.
#ifndef SWZIP_CODERS_H
#define SWZIP_CODERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

// ---------------------------------------------------------------- Huffman tables (spec/codecs/huffman.md)

#define SWZIP_CODE_BITS 11
#define SWZIP_STREAMS 32
#define SWZIP_GROUP_STREAMS 8
#define SWZIP_UNIT 256            // values a unit of the raw plane
#define SWZIP_INPUT_SLACK 16      // readable bytes after the last sub-stream
#define SWZIP_STREAM_GAP 256      // slack below each sub-stream in the symbol tile

/// One entry for each 11-bit window: up to six symbols in the top bytes, first decoded highest; bits used in byte 0,
/// number of symbols in byte 1. A whole entry is stored at `end - 8` and its low part overwritten by the next one.
typedef struct {
  uint64_t entry[1 << SWZIP_CODE_BITS];
  uint32_t max_count;             // largest number of symbols in an entry
} swzip_decode_table;

/// Builds the table of a complete code (Kraft sum 1, lengths 0 to 11, two symbols at least); symbols are stored shifted
/// left by `shift`, where a merge wants them.
void swzip_decode_table_build(const uint8_t lengths[256], unsigned shift, swzip_decode_table *table);
/// The same with one symbol an entry: made in a fraction of the time, and decoded more slowly.
void swzip_decode_table_build_single(const uint8_t lengths[256], unsigned shift, swzip_decode_table *table);

typedef struct {
  uint16_t code[256];             // bit-reversed
  uint8_t length[256];            // 0 = absent: coded as `cheapest` and reported
  uint8_t low[32], high[32];      // for symbols first..first+31: code bits 0-7; code bits 8-10 << 4 | length
  uint8_t first, cheapest;
} swzip_encode_table;

void swzip_encode_table_build(const uint8_t lengths[256], const uint32_t counts[256], swzip_encode_table *table);

/// Writes `count` symbols, last to first, from `out` on and returns the end. Needs count * 11 / 8 + 16 bytes, of which those
/// after the end are slack. Positions (`first_position` + index) of symbols absent from the table are appended to
/// `missing`, at most `missing_capacity`; `*missing_count` counts all. Reads 31 bytes of slack after the symbols.
uint8_t *swzip_huffman_encode(const uint8_t *symbols, size_t count, const swzip_encode_table *table, uint8_t *out,
                              uint32_t first_position, uint32_t *missing, uint32_t missing_capacity,
                              uint32_t *missing_count);

/// Geometry of a block's sub-streams: values and sub-stream length of each group.
typedef struct { uint32_t values[4], stream[4]; } swzip_geometry;
swzip_geometry swzip_geometry_unsorted(uint32_t value_count);
swzip_geometry swzip_geometry_sorted(uint32_t rows, uint32_t row_length);

/// Decodes symbols in unsorted geometry to natural order. `offset[33]`: where each sub-stream starts in `streams`; `tables`: one
/// for each group. `tile` needs swzip_tile_bytes(count) bytes; `out` count bytes.
void swzip_symbols_decode(const uint8_t *streams, const uint32_t offset[SWZIP_STREAMS + 1], uint32_t count,
                          const swzip_decode_table *const tables[4], uint8_t *tile, uint8_t *out);

/// Makes a palette's entries: of each symbol, `per_symbol` of `count` values of `width` bytes, at most 64 bytes; symbols are the
/// numbers of values as digits, the first value's the lowest. There are at most 256; entries of others are zero.
void swzip_palette_entries(const uint8_t *values, size_t count, size_t width, size_t per_symbol,
                           uint8_t entries[256 * 64]);

/// Writes entry `symbols[i]` (of `entry_bytes` bytes, at most 64) of a palette for each symbol, `byte_count` bytes in all; the
/// last entry may be cut. The palette has 256 entries of 64 bytes.
void swzip_palette_expand(const uint8_t *symbols, const uint8_t *palette, size_t entry_bytes, uint8_t *out,
                          size_t byte_count);

// ---------------------------------------------------------------- nodes (spec/codecs/nodes.md)

#define SWZIP_MOST_FLAT 6
#define SWZIP_NO_RANK 255
/// What lists of symbols need behind them while they are worked on.
#define SWZIP_NODE_SLACK 768
/// Room for one list, a multiple of 64.
#define SWZIP_NODE_ROOM(count) ((((size_t)(count) + 63) & ~(size_t)63) + SWZIP_NODE_SLACK)

typedef struct {
  uint16_t right;   // the right child; the left one follows its parent. 0: a flat node, or a leaf
  uint16_t leaves;
  uint8_t flat;     // bits for each symbol: 1 of an inner node, 0 of a leaf
  uint8_t first;    // lowest rank below
} swzip_node;

/// The tree of a code, in pre-order; its leaves have ranks from left to right.
typedef struct {
  swzip_node node[511];
  uint16_t nodes, leaves;
  uint8_t first, last;        // symbols that occur
  uint8_t cheapest;           // rank of a symbol with a shortest code
  uint8_t symbol[256 + 64];   // of each rank, and slack
  uint8_t rank[256 + 64];     // of each symbol, or SWZIP_NO_RANK (of 256 leaves it is the last one's), and slack
} swzip_node_tree;

/// Builds the tree of a complete code (Kraft sum 1, lengths 0 to 11, two symbols at least); symbols are decoded shifted
/// left by `shift`, where a merge wants them.
void swzip_node_tree_build(const uint8_t lengths[256], unsigned shift, swzip_node_tree *tree);

/// Decodes `count` symbols of a list of `byte_count` bytes, 64 readable bytes behind them. `symbols` has room for whole units of 64,
/// `room` for two lists (SWZIP_NODE_ROOM each), aligned to 64. False unless the nodes take all bytes and no more.
bool swzip_nodes_decode(const swzip_node_tree *tree, const uint8_t *bytes, size_t byte_count, uint32_t count,
                        uint8_t *symbols, uint8_t *room);

/// Where symbols that a code lacks are reported: `first` + index, at most `capacity`; `*count` counts all.
typedef struct {
  uint32_t *position;
  uint32_t capacity, first;
  uint32_t *count;
} swzip_missing;

/// Writes the list of `count` symbols from `out` on and returns its end. Needs count * 11 / 8 + 511 + 64 bytes, of which those
/// after the end are slack. Symbols without a code are written as a cheapest one, and reported. `room` as above.
uint8_t *swzip_nodes_encode(const swzip_node_tree *tree, const uint8_t *symbols, uint32_t count, uint8_t *out,
                            uint8_t *room, const swzip_missing *missing);

// ---------------------------------------------------------------- rANS (spec/codecs/rans.md)

#define SWZIP_RANS_LEVELS 64
#define SWZIP_RANS_SLOTS 4096
#define SWZIP_RANS_LOW 65536
#define SWZIP_RANS_STATE_BYTES (4 * SWZIP_STREAMS)

/// Weight of each level that a table gives a symbol.
extern const uint32_t swzip_rans_weights[SWZIP_RANS_LEVELS];

/// Frequencies (sum 4096) from levels below 64. False for fewer than two symbols.
bool swzip_rans_frequencies(const uint8_t levels[256], uint16_t frequencies[256]);

/// For each slot: frequency, place in the symbol's slots << 12, symbol << 24.
typedef struct { uint32_t entry[SWZIP_RANS_SLOTS]; } swzip_rans_table;
typedef struct {
  uint64_t reciprocal;  // 2^64 / frequency, rounded up; 2^64 - 1 for frequency 1
  uint32_t frequency;
  uint16_t start;       // of its slots; for frequency 1, 4095 more
  uint16_t others;      // 4096 - frequency
} swzip_rans_encode_symbol;
typedef struct { swzip_rans_encode_symbol symbol[256]; } swzip_rans_encode_table;

/// Builds the table of frequencies whose sum is 4096; symbols are stored shifted left by `shift`.
void swzip_rans_table_build(const uint16_t frequencies[256], unsigned shift, swzip_rans_table *table);
void swzip_rans_encode_table_build(const uint16_t frequencies[256], swzip_rans_encode_table *table);

/// Encodes symbols that all have a frequency in their table: number `numbers[i]`, or 0 where `numbers` is NULL. `states` starts
/// as swzip_rans_states_begin says and is updated. Words are written downwards from `end`, one a symbol at most,
/// and one more that does not count; returns how many.
void swzip_rans_states_begin(uint32_t states[SWZIP_STREAMS]);
size_t swzip_rans_encode(const uint8_t *symbols, size_t count, const uint8_t *numbers,
                         const swzip_rans_encode_table *tables, uint32_t states[SWZIP_STREAMS], uint16_t *end);

/// Decodes `count` symbols from 32 states and words, SWZIP_RANS_SLACK readable bytes behind them. `numbers` (or NULL): the
/// table of each value, readable to whole units of 64; tables of all numbers exist. `symbols` has room for whole units of 64.
/// False unless every word was used and every state ended at its lowest value.
#define SWZIP_RANS_SLACK 64
bool swzip_rans_decode(const uint8_t *words, size_t word_count, const uint8_t *states, size_t count,
                       const uint8_t *numbers, const swzip_rans_table *tables, uint8_t *symbols);

/// Table numbers of rows: of value j of a row with class r, `map[r + columns[j]]` (columns NULL: `map[r]`). Classes are below
/// 16, `map` has 32 entries.
void swzip_rans_numbers(const uint8_t *row_classes, size_t rows, const uint8_t *columns, size_t row_length,
                        const uint8_t map[32], uint8_t *numbers);

#pragma GCC visibility pop
#endif
