// The loops of swzip: split, merge, histogram, Huffman coding, hashes. No allocation, no libc beyond string.h.
//
// Callers check every number that comes from a file before they call; the kernels themselves stay inside the memory
// described here whatever the *content* of streams, planes and patches is. "Slack" below is memory that may be read
// (its value is free) or written (its value is lost).
#ifndef SWZIP_KERNELS_H
#define SWZIP_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swzip_coders.h"
#include "swzip_lattice.h"

#pragma GCC visibility push(hidden)

// ---------------------------------------------------------------- level of the processor

typedef enum {
  SWZIP_LEVEL_PORTABLE = 0, SWZIP_LEVEL_AVX2 = 1, SWZIP_LEVEL_AVX512 = 2, SWZIP_LEVEL_NEON = 3,
  SWZIP_LEVELS
} swzip_level;

/// The level in use: the best that the processor has, unless a lower one was chosen.
swzip_level swzip_level_in_use(void);
/// Chooses a level for the whole process (tests and `swzip bench`). Returns false if the processor lacks it.
bool swzip_level_choose(swzip_level level);

// ---------------------------------------------------------------- XXH3

uint64_t swzip_xxh3_64(const void *bytes, size_t byte_count, uint64_t seed);

/// XXH3-128 of a stream. `state` has SWZIP_XXH3_STATE_BYTES bytes, aligned to 64.
#define SWZIP_XXH3_STATE_BYTES 576
void swzip_xxh3_128_begin(void *state);
void swzip_xxh3_128_add(void *state, const void *bytes, size_t byte_count);
void swzip_xxh3_128_end(const void *state, uint64_t *low, uint64_t *high);

// ---------------------------------------------------------------- floats (spec/codecs/float.md)

typedef enum {
  SWZIP_BF16_J0, SWZIP_BF16_J1, SWZIP_F16_J1, SWZIP_E4M3_J1, SWZIP_E5M2_J1, SWZIP_F32_J0, SWZIP_F32_J1,
  SWZIP_BF16_J2, SWZIP_F16_J2, SWZIP_F32_J2,
  SWZIP_BF16_U1, SWZIP_F32_U1,                // J = 1 without the sign
  SWZIP_FLOAT_KINDS
} swzip_float_kind;

unsigned swzip_float_width(swzip_float_kind kind);      // bytes a value
unsigned swzip_float_raw_bits(swzip_float_kind kind);   // R
unsigned swzip_float_shift(swzip_float_kind kind);      // shift of the symbols in the decode table
/// Bytes of the raw plane of `count` values: whole units.
size_t swzip_raw_plane_bytes(swzip_float_kind kind, uint32_t count);

/// What a block of symbols and raw bits holds, all bounds checked by the caller.
typedef struct {
  swzip_float_kind kind;
  uint32_t count;
  uint16_t window_base;
  uint32_t row_length;                      // 0 = not sorted
  const uint8_t *row_groups;                // sorted: 2 bits a row
  const uint8_t *raw_plane;                 // whole units
  const uint8_t *low_plane[2];              // F32: bytes 0 and 1 of the values, readable to whole units
  const uint8_t *streams;                   // SWZIP_INPUT_SLACK after the last
  uint32_t stream_offset[SWZIP_STREAMS + 1];
  const swzip_decode_table *table[4];
  const uint8_t *symbols;                   // not NULL: decoded already, in coded order, readable to whole units;
                                            // nothing of the streams is used
  const uint8_t *patches;                   // 6 bytes each, positions ascending and below count
  uint32_t patch_count;
  size_t frame_bytes;                       // a hint: the next block's streams begin this far on
} swzip_float_block;

/// Bytes of scratch that decoding a block of up to `count` values needs, aligned to 64. A tile has room for two lists of nodes of a
/// group (SWZIP_NODE_ROOM), too.
size_t swzip_tile_bytes(uint32_t count);
size_t swzip_float_scratch_bytes(uint32_t count);

/// Decodes a block into `out` (any alignment, exactly count * width bytes) and returns in `*hash` the XXH3-64 of it.
/// `streaming`: the output is large and not read soon (stores may bypass the cache). False if the row groups are wrong.
bool swzip_float_decode(const swzip_float_block *block, void *out, uint8_t *scratch, bool streaming, uint64_t *hash);

/// Splits `count` values: symbols in natural order (written to whole units), raw plane, F32's low planes. Returns true if
/// some field lies outside the window and needs a patch.
bool swzip_float_split(swzip_float_kind kind, const void *values, uint32_t count, uint16_t window_base,
                       uint8_t *symbols, uint8_t *raw_plane, uint8_t *low0, uint8_t *low1);
/// Positions whose field has no symbol; at most `capacity` are stored, all are counted.
uint32_t swzip_float_outside(swzip_float_kind kind, const void *values, uint32_t count, uint16_t window_base,
                             uint32_t *positions, uint32_t capacity);
/// Coded part of a value (its upper half for F32).
uint16_t swzip_float_coded_part(swzip_float_kind kind, const void *values, uint32_t index);

/// Mode fixed4 (spec/codecs/fixed4.md), BF16. Decode: `escapes` holds as many bytes as there are codes 15 (the caller has
/// counted them by swzip_fixed4_escapes); planes are whole units. Encode returns the number of escapes written (up to
/// count + 32 bytes are written to `escapes`).
uint32_t swzip_fixed4_escapes(const uint8_t *codes, uint32_t count);
void swzip_fixed4_decode(const uint8_t *codes, const uint8_t codebook[16], const uint8_t *raw_plane,
                         const uint8_t *escapes, uint32_t count, void *out, bool streaming, uint64_t *hash);
uint32_t swzip_fixed4_encode(const void *values, uint32_t count, uint8_t window_first, uint8_t *codes,
                             uint8_t *raw_plane, uint8_t *escapes);

// ---------------------------------------------------------------- sparse blocks (spec/codecs/sparse.md)

/// Sets bit i % 8 of mask byte i / 8 for each value with a bit set in `significant`, clears the other bits, copies those
/// values to `out` (room for one more than `count`) and returns how many there are. `width`: 1, 2 or 4 bytes a value.
uint32_t swzip_sparse_compact(const void *values, uint32_t count, unsigned width, uint32_t significant, uint8_t *mask,
                              void *out);
/// Collects the top bits of the values that the mask leaves out, eight a byte, and returns how many are set.
uint32_t swzip_sparse_signs(const void *values, uint32_t count, unsigned width, const uint8_t *mask, uint8_t *signs);
/// Sets the top bits of the values that the mask leaves out.
void swzip_sparse_set_signs(void *values, uint32_t count, unsigned width, const uint8_t *mask, const uint8_t *signs);
/// Number of bits set in the masks of `count` values; false in `*clean` if a bit past the last value is set.
uint32_t swzip_sparse_count(const uint8_t *mask, uint32_t count, bool *clean);
/// The reverse of compact. `values` holds as many as the mask has bits, and 64 bytes of slack.
void swzip_sparse_expand(const uint8_t *mask, uint32_t count, unsigned width, const void *values, void *out);

// ---------------------------------------------------------------- casts (spec/codecs/cast.md)

typedef enum {
  SWZIP_CAST_F32_TO_BF16, SWZIP_CAST_F32_TO_F16, SWZIP_CAST_BF16_TO_F32, SWZIP_CAST_F16_TO_F32
} swzip_cast_kind;

/// The values that `reference` determines. `low0`, `low1`: bytes 0 and 1 of the values, for BF16_TO_F32 only.
void swzip_cast(swzip_cast_kind kind, const void *reference, uint32_t count, const uint8_t *low0, const uint8_t *low1,
                void *out);
/// Positions of the values that differ; at most `capacity` are stored, all are counted.
uint32_t swzip_differences(const void *a, const void *b, uint32_t count, unsigned width, uint32_t *positions,
                           uint32_t capacity);

// ---------------------------------------------------------------- differences to a base (spec/codecs/delta.md)

typedef struct {
  uint8_t width;  // 1, 2, 4 or 8 bytes
  bool is_float;
  uint8_t exponent_shift, exponent_mask;  // where a value has its exponent; mask 0: nowhere
} swzip_delta_kind;

/// The symbol of each value's difference.
void swzip_delta_symbols(const swzip_delta_kind *kind, const void *values, const void *base, size_t count,
                         uint8_t *symbols);
/// Writes the low bits that follow from these symbols; returns the bytes they fill (room for count * width and 8 more).
size_t swzip_delta_low_bits(const swzip_delta_kind *kind, const void *values, const void *base, const uint8_t *symbols,
                            size_t count, uint8_t *out);
/// The table of each value: map[clamp(top - exponent of the base, 0, contexts - 1)]. `top` is at most 255, `contexts` 32.
void swzip_delta_numbers(const swzip_delta_kind *kind, const void *base, size_t count, unsigned top, unsigned contexts,
                         const uint8_t map[32], uint8_t *numbers);
/// The reverse of symbols and low bits, given symbols that differences of the width have. Returns the bytes that the low
/// bits fill; byte_count + 1 if they are more than `byte_count`, then `out` is anything. 64 readable bytes follow `bits`.
size_t swzip_delta_apply(const swzip_delta_kind *kind, const uint8_t *symbols, const uint8_t *bits, size_t byte_count,
                       const void *base, size_t count, void *out);

/// Values that are not quiet: those whose table is not 0. Sets their bits in `mask` (whole 64-bit units) and gathers their
/// tables (room for `count` and 64 more); returns how many there are. 64 readable bytes follow `numbers`.
size_t swzip_delta_dense(const uint8_t *numbers, size_t count, uint8_t *mask, uint8_t *dense);
/// Gathers the bytes whose bits `mask` has (room for as many); whole 64-bit units, no bit past `count`.
void swzip_delta_gather(const uint8_t *bytes, const uint8_t *mask, size_t count, uint8_t *gathered);
/// The tokens of the gaps between the changes of quiet values, and the symbols of these; returns how many, or `most` + 1 if
/// they are more. `low`: bits of the gaps, in `*low_bytes` bytes (room for 2 * most and 8 more).
size_t swzip_delta_changes(const uint8_t *symbols, const uint8_t *numbers, size_t count, size_t most, uint8_t *gaps,
                           uint8_t *changes, uint8_t *low, size_t *low_bytes);
/// The reverse: sets the symbols of changed values. False where one is not quiet by `mask`, or none of the `count`, or low
/// bits are missing; else `*low_bytes`, so far the bytes there are, becomes those used.
bool swzip_delta_scatter(const uint8_t *gaps, const uint8_t *changes, size_t changed, const uint8_t *low,
                         size_t *low_bytes, const uint8_t *mask, size_t count, uint8_t *symbols);

typedef enum { SWZIP_PREDICT_SCALED = 1, SWZIP_PREDICT_SECOND_MOMENT, SWZIP_PREDICT_WEIGHT } swzip_prediction_kind;

typedef struct {
  swzip_prediction_kind kind;
  bool is_bf16;  // the result; else F32
  double scale;  // of SCALED
  double beta1, beta2;
  float decay, step, epsilon;  // of WEIGHT
} swzip_prediction;

/// The values that are predicted from `references`, F32 each, in the order of the spec. In any floating-point environment:
/// it computes in the default one.
void swzip_predict(const swzip_prediction *prediction, const void *const references[4], size_t count, void *out);

// MARK: quants given the values that they were made of (spec/codecs/replay.md)

typedef enum { SWZIP_REPLAY_BF16, SWZIP_REPLAY_F16, SWZIP_REPLAY_F32 } swzip_replay_source;

// A block type of ggml, by its id there, and the type of the values.
typedef struct {
  unsigned type;
  swzip_replay_source source;
} swzip_replay;

/// What is known of a type; no elements where the type has no formula.
typedef struct {
  unsigned elements, bytes, groups;
  bool has_minimum;
} swzip_replay_shape;
swzip_replay_shape swzip_replay_shape_of(unsigned type);

/// What blocks have besides what follows from the values: differences to what is guessed. Scales and minima of groups are
/// folded (0, -1, 1, -2 as 0, 1, 2, 3), as changes of codes are; places ascend.
typedef struct {
  size_t count;
  int16_t *scale, *minimum;
  uint8_t *scales, *minima;
  size_t changed;
  uint32_t *places;
  uint8_t *changes;
} swzip_replay_block;

/// Computes `block->count` blocks from what is in `block` and their values at `x`.
void swzip_replay_decode(const swzip_replay *replay, const swzip_replay_block *block, const void *x, void *out);
/// The reverse, of blocks at `in`. `block` has room for scales, minima and `most` changes. Returns how many codes are not what
/// is computed: more than `most` if there are more, or where a block is none that ggml writes.
size_t swzip_replay_encode(const swzip_replay *replay, const swzip_replay_block *block, const void *x, const void *in,
                           size_t most);

/// Writes the symbols of a block in the order of the spec, and the low bits of tokens, with 8 bytes of room behind them;
/// returns the bytes of those.
size_t swzip_replay_write(const swzip_replay *replay, const swzip_replay_block *block, uint8_t *symbols, uint8_t *low);
/// The reverse, given `count`, `changed`, and room for scale, minimum and places; the rest stays in `symbols`. `*low_bytes`: of
/// those there are, then of those used. False if low bits are missing or a place lies outside.
bool swzip_replay_read(const swzip_replay *replay, uint8_t *symbols, const uint8_t *low, size_t *low_bytes,
                       swzip_replay_block *block);

// ---------------------------------------------------------------- planes, histograms, rows

void swzip_planes_split(const void *values, uint32_t count, unsigned width, uint8_t *const *planes);
void swzip_planes_merge(const uint8_t *const *planes, uint32_t count, unsigned width, void *out);

/// Reverses the bytes of each unit of 2, 4 or 8 bytes; `byte_count` is a multiple of it. `to` may be `from`.
void swzip_bytes_swap(const void *from, size_t byte_count, unsigned unit, void *to);

/// The same for records of `fields` fields of `sizes` bytes each: a plane holds one field of every record.
void swzip_fields_split(const void *values, uint32_t count, const uint32_t *sizes, unsigned fields,
                        uint8_t *const *planes);
void swzip_fields_merge(const uint8_t *const *planes, uint32_t count, const uint32_t *sizes, unsigned fields,
                        void *out);

/// Groups of values by their scales. `scale`: planes of the scale's low and high byte and of the minimum's, null without one.
/// The key of a value is its minimum less its scale modulo 2^16, or its scale. Bounds that make four groups of about the
/// same size, ascending:
void swzip_scale_bounds(const uint8_t *const scale[4], uint32_t count, uint16_t bounds[3]);
/// The group of each value: how many bounds are at most its key. `sizes`: values in each group.
void swzip_scale_groups(const uint8_t *const scale[4], uint32_t count, const uint16_t bounds[3], uint8_t *groups,
                        uint32_t sizes[4]);
/// Parts a plane of fields of `size` bytes into one plane for each group, and joins them again.
void swzip_fields_group(const uint8_t *plane, uint32_t count, uint32_t size, const uint8_t *groups,
                        uint8_t *const *group_planes);
void swzip_fields_ungroup(const uint8_t *const *group_planes, uint32_t count, uint32_t size, const uint8_t *groups,
                          uint8_t *plane);
/// Byte by byte modulo 256; `out` may be `a`.
void swzip_bytes_add(const uint8_t *a, const uint8_t *b, uint32_t count, uint8_t *out);
void swzip_bytes_subtract(const uint8_t *a, const uint8_t *b, uint32_t count, uint8_t *out);

/// Adds to `counts` one run of 32 bytes in every `step` runs (step 1: all bytes).
void swzip_histogram_add(const uint8_t *bytes, size_t count, size_t step, uint32_t counts[256]);
/// Adds each byte to the histogram of its number, of which there are `numbers[i]` before it.
void swzip_histograms_add(const uint8_t *bytes, const uint8_t *numbers, size_t count, uint32_t *counts);

/// Sum of the symbols of each row; `row_length` is a multiple of 32.
void swzip_row_sums(const uint8_t *symbols, uint32_t rows, uint32_t row_length, uint32_t *sums);

/// Puts each row into one of four groups of ceil(rows / 4) rows by its sum: 2 bits a row.
void swzip_rows_group(const uint32_t *sums, uint32_t rows, uint8_t *row_groups);
/// Copies the symbols into coded order; natural_row[i] is the row that coded row i was.
void swzip_rows_gather(const uint8_t *symbols, uint32_t rows, uint32_t row_length, const uint8_t *row_groups,
                       uint8_t *out, uint32_t *natural_row);

/// Lengths (at most SWZIP_CODE_BITS) of the best complete code; symbols with count 0 get none. At least two symbols.
void swzip_code_lengths(const uint32_t counts[256], uint8_t lengths[256]);
/// Information of each symbol in 1/64 bit; 20 bits where the count is 0.
void swzip_symbol_costs(const uint32_t counts[256], uint16_t costs[256]);
/// Order-0 information of the symbols counted, in 1/64 bit.
uint64_t swzip_histogram_information(const uint32_t counts[256]);
/// Sum of count times cost over symbols first to last.
uint64_t swzip_histogram_cost(const uint32_t counts[256], const uint16_t costs[256], int first, int last);

#pragma GCC visibility pop
#endif
