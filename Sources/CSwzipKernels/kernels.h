// Shared by the kernel files: loads and stores, and the table of functions that a processor level fills in.
#ifndef SWZIP_KERNELS_INTERNAL_H
#define SWZIP_KERNELS_INTERNAL_H

#include <string.h>

#include "swzip_kernels.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "swzip's kernels are written for little-endian processors"
#endif

static inline uint64_t load64(const void *p) { uint64_t v; memcpy(&v, p, 8); return v; }
static inline uint32_t load32(const void *p) { uint32_t v; memcpy(&v, p, 4); return v; }
static inline uint16_t load16(const void *p) { uint16_t v; memcpy(&v, p, 2); return v; }
static inline void store64(void *p, uint64_t v) { memcpy(p, &v, 8); }
static inline void store32(void *p, uint32_t v) { memcpy(p, &v, 4); }
static inline void store16(void *p, uint16_t v) { memcpy(p, &v, 2); }

#define INLINE static inline __attribute__((always_inline))
#define NOINLINE __attribute__((noinline))

#pragma GCC visibility push(hidden)

typedef struct {
  uint64_t (*xxh3_64)(const void *, size_t, uint64_t);
  void (*xxh3_128_add)(void *, const void *, size_t);
  void (*table_build)(const uint8_t *, unsigned, swzip_decode_table *);
  uint8_t *(*huffman_encode)(const uint8_t *, size_t, const swzip_encode_table *, uint8_t *, uint32_t, uint32_t *,
                             uint32_t, uint32_t *);
  void (*symbols_decode)(const uint8_t *, const uint32_t *, uint32_t, const swzip_decode_table *const *, uint8_t *,
                         uint8_t *);
  bool (*float_decode)(const swzip_float_block *, void *, uint8_t *, bool, uint64_t *);
  bool (*float_split)(swzip_float_kind, const void *, uint32_t, uint16_t, uint8_t *, uint8_t *, uint8_t *, uint8_t *);
  uint32_t (*fixed4_escapes)(const uint8_t *, uint32_t);
  void (*fixed4_decode)(const uint8_t *, const uint8_t *, const uint8_t *, const uint8_t *, uint32_t, void *, bool,
                        uint64_t *);
  uint32_t (*fixed4_encode)(const void *, uint32_t, uint8_t, uint8_t *, uint8_t *, uint8_t *);
  void (*row_sums)(const uint8_t *, uint32_t, uint32_t, uint32_t *);
  void (*histogram_add)(const uint8_t *, size_t, size_t, uint32_t *);
  bool (*rans_decode)(const uint8_t *, size_t, const uint8_t *, size_t, const uint8_t *, const swzip_rans_table *,
                      uint8_t *);
  void (*sparse_expand)(const uint8_t *, uint32_t, unsigned, const void *, void *);
  void (*rans_numbers)(const uint8_t *, size_t, const uint8_t *, size_t, const uint8_t *, uint8_t *);
  void (*delta_symbols)(const swzip_delta_kind *, const void *, const void *, size_t, uint8_t *);
  size_t (*delta_low_bits)(const swzip_delta_kind *, const void *, const void *, const uint8_t *, size_t, uint8_t *);
  void (*delta_numbers)(const swzip_delta_kind *, const void *, size_t, unsigned, unsigned, const uint8_t *, uint8_t *);
  size_t (*delta_apply)(const swzip_delta_kind *, const uint8_t *, const uint8_t *, size_t, const void *, size_t, void *);
  size_t (*delta_dense)(const uint8_t *, size_t, uint8_t *, uint8_t *);
  void (*predict)(const swzip_prediction *, const void *const *, size_t, void *);
} swzip_kernel_set;

void swzip_delta_symbols_portable(const swzip_delta_kind *kind, const void *values, const void *base, size_t count,
                                  uint8_t *symbols);
size_t swzip_delta_low_bits_portable(const swzip_delta_kind *kind, const void *values, const void *base,
                                     const uint8_t *symbols, size_t count, uint8_t *out);
void swzip_delta_numbers_portable(const swzip_delta_kind *kind, const void *base, size_t count, unsigned top,
                                  unsigned contexts, const uint8_t map[32], uint8_t *numbers);
size_t swzip_delta_apply_portable(const swzip_delta_kind *kind, const uint8_t *symbols, const uint8_t *bits,
                                size_t byte_count, const void *base, size_t count, void *out);

size_t swzip_delta_dense_portable(const uint8_t *numbers, size_t count, uint8_t *mask, uint8_t *dense);
void swzip_predict_portable(const swzip_prediction *prediction, const void *const references[4], size_t count, void *out);
void swzip_sparse_expand_portable(const uint8_t *mask, uint32_t count, unsigned width, const void *values, void *out);
// Values from `from` on; `values` stands at the first of them.
void swzip_sparse_expand_from(const uint8_t *mask, uint32_t from, uint32_t count, unsigned width, const uint8_t *values,
                              void *out);
bool swzip_rans_decode_portable(const uint8_t *words, size_t word_count, const uint8_t *states, size_t count,
                                const uint8_t *numbers, const swzip_rans_table *tables, uint8_t *symbols);

extern const swzip_kernel_set swzip_kernels_portable;
void swzip_histogram_add_plain(const uint8_t *bytes, size_t count, size_t step, uint32_t *counts);
#if defined(__x86_64__)
extern const swzip_kernel_set swzip_kernels_avx2, swzip_kernels_avx512;

// AVX2's kernels that AVX-512 uses too.
void swzip_avx2_table_build(const uint8_t *lengths, unsigned shift, swzip_decode_table *table);
uint8_t *swzip_avx2_huffman_encode(const uint8_t *symbols, size_t count, const swzip_encode_table *table, uint8_t *out,
                                   uint32_t first_position, uint32_t *missing, uint32_t missing_capacity,
                                   uint32_t *missing_count);
bool swzip_avx2_float_decode(const swzip_float_block *block, void *out, uint8_t *scratch, bool streaming,
                             uint64_t *hash);
void swzip_avx2_symbols_decode(const uint8_t *streams, const uint32_t *offset, uint32_t count,
                             const swzip_decode_table *const *tables, uint8_t *tile, uint8_t *out);
bool swzip_avx2_float_split(swzip_float_kind kind, const void *values, uint32_t count, uint16_t window_base,
                            uint8_t *symbols, uint8_t *raw_plane, uint8_t *low0, uint8_t *low1);
uint32_t swzip_avx2_fixed4_escapes(const uint8_t *codes, uint32_t count);
void swzip_avx2_fixed4_decode(const uint8_t *codes, const uint8_t *codebook, const uint8_t *raw_plane,
                              const uint8_t *escapes, uint32_t count, void *out, bool streaming, uint64_t *hash);
uint32_t swzip_avx2_fixed4_encode(const void *values, uint32_t count, uint8_t window_first, uint8_t *codes,
                                  uint8_t *raw_plane, uint8_t *escapes);
bool swzip_avx2_rans_decode(const uint8_t *words, size_t word_count, const uint8_t *states, size_t count,
                            const uint8_t *numbers, const swzip_rans_table *tables, uint8_t *symbols);
void swzip_avx2_sparse_expand(const uint8_t *mask, uint32_t count, unsigned width, const void *values, void *out);
void swzip_avx2_rans_numbers(const uint8_t *row_classes, size_t rows, const uint8_t *columns, size_t row_length,
                             const uint8_t *map, uint8_t *numbers);
void swzip_avx2_delta_symbols(const swzip_delta_kind *kind, const void *values, const void *base, size_t count,
                              uint8_t *symbols);
size_t swzip_avx2_delta_low_bits(const swzip_delta_kind *kind, const void *values, const void *base,
                                     const uint8_t *symbols, size_t count, uint8_t *out);
void swzip_avx2_delta_numbers(const swzip_delta_kind *kind, const void *base, size_t count, unsigned top,
                              unsigned contexts, const uint8_t map[32], uint8_t *numbers);
size_t swzip_avx2_delta_apply(const swzip_delta_kind *kind, const uint8_t *symbols, const uint8_t *bits,
                            size_t byte_count, const void *base, size_t count, void *out);
size_t swzip_avx2_delta_dense(const uint8_t *numbers, size_t count, uint8_t *mask, uint8_t *dense);
void swzip_avx2_predict(const swzip_prediction *prediction, const void *const references[4], size_t count, void *out);
bool swzip_avx512_rans_decode(const uint8_t *words, size_t word_count, const uint8_t *states, size_t count,
                              const uint8_t *numbers, const swzip_rans_table *tables, uint8_t *symbols);
size_t swzip_avx512_delta_apply(const swzip_delta_kind *kind, const uint8_t *symbols, const uint8_t *bits,
                              size_t byte_count, const void *base, size_t count, void *out);
void swzip_avx2_row_sums(const uint8_t *symbols, uint32_t rows, uint32_t row_length, uint32_t *sums);

// XXH3's eight accumulators.
typedef struct { uint64_t lane[8]; } swzip_hash_lanes;

typedef struct {
  uint8_t *out;                    // of unit 0
  const uint8_t *raw_plane, *low0, *low1;
  const uint8_t *symbols;          // unsorted: of the first unit; sorted: the tile
  const uint32_t *index;           // sorted: of unit 0
  uint16_t window_base;
} swzip_merge_input;

// Merges and hashes units first to end. [kind][streaming][sorted]
typedef void swzip_merge_function(const swzip_merge_input *in, uint32_t first, uint32_t end, swzip_hash_lanes *hash);
typedef swzip_merge_function *swzip_merge_functions[SWZIP_FLOAT_KINDS][2][2];
extern const swzip_merge_functions swzip_avx2_merges;

// Decodes a block by functions whose streaming stores need `alignment`.
bool swzip_avx2_decode_by(swzip_merge_function *const merges[2][2], size_t alignment, const swzip_float_block *block,
                          void *out, uint8_t *scratch, bool streaming, uint64_t *hash);

// Splits whole units by `split`, and the rest of the values as a unit filled with zeros.
typedef bool swzip_split_function(const uint8_t *values, uint32_t units, uint16_t base, uint8_t *symbols, uint8_t *raw,
                                  uint8_t *low0, uint8_t *low1);
bool swzip_avx2_split_by(swzip_split_function *split, swzip_float_kind kind, const void *values, uint32_t count,
                         uint16_t window_base, uint8_t *symbols, uint8_t *raw_plane, uint8_t *low0, uint8_t *low1);
#endif

// Symbols in code order, shared by the table builders.
typedef struct {
  uint8_t symbol[256], length[256];
  uint16_t code[256];             // bit-reversed
  int count;
} swzip_code_order;
void swzip_code_order_make(const uint8_t lengths[256], swzip_code_order *order);
void swzip_table_build_simple(const uint8_t lengths[256], unsigned shift, swzip_decode_table *table);

#pragma GCC visibility pop
#endif
