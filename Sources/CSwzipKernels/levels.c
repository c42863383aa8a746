// The kernels of each level: chosen once, by what the processor has, and every public call handed to them.
#include <stdatomic.h>

#include "kernels.h"

static _Atomic(int) chosen = -1;

static bool has_level(swzip_level level) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
                    __builtin_cpu_supports("lzcnt") && __builtin_cpu_supports("popcnt");
  if (level == SWZIP_LEVEL_AVX2) return avx2;
  if (level == SWZIP_LEVEL_AVX512)
    return avx2 && __builtin_cpu_supports("gfni") &&
           __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2") &&
           __builtin_cpu_supports("avx512bitalg") && __builtin_cpu_supports("avx512vpopcntdq");
#elif defined(__aarch64__)
  if (level == SWZIP_LEVEL_NEON) return true;
#endif
  return level == SWZIP_LEVEL_PORTABLE;
}

swzip_level swzip_level_in_use(void) {
  int level = atomic_load_explicit(&chosen, memory_order_relaxed);
  if (level < 0) {
    level = SWZIP_LEVELS - 1;
    while (!has_level((swzip_level)level)) level--;
    atomic_store_explicit(&chosen, level, memory_order_relaxed);
  }
  return (swzip_level)level;
}

bool swzip_level_choose(swzip_level level) {
  if (!has_level(level)) return false;
  atomic_store_explicit(&chosen, (int)level, memory_order_relaxed);
  return true;
}

static const swzip_kernel_set sets[] = {
#define PORTABLE(at_avx2, at_avx512, at_neon, result, name, parameters) .name = swzip_##name##_portable,
    [SWZIP_LEVEL_PORTABLE] = {SWZIP_KERNELS(PORTABLE)},
#if defined(__x86_64__)
#define AVX2(at_avx2, at_avx512, at_neon, result, name, parameters) .name = swzip_##name##_##at_avx2,
    [SWZIP_LEVEL_AVX2] = {SWZIP_KERNELS(AVX2)},
#define AVX512(at_avx2, at_avx512, at_neon, result, name, parameters) .name = swzip_##name##_##at_avx512,
    [SWZIP_LEVEL_AVX512] = {SWZIP_KERNELS(AVX512)},
#elif defined(__aarch64__)
#define NEON(at_avx2, at_avx512, at_neon, result, name, parameters) .name = swzip_##name##_##at_neon,
    [SWZIP_LEVEL_NEON] = {SWZIP_KERNELS(NEON)},
#endif
};

const swzip_kernel_set *swzip_kernels(void) { return &sets[swzip_level_in_use()]; }

uint64_t swzip_xxh3_64(const void *bytes, size_t byte_count, uint64_t seed) {
  return swzip_kernels()->xxh3_64(bytes, byte_count, seed);
}
void swzip_xxh3_128_add(void *state, const void *bytes, size_t byte_count) {
  swzip_kernels()->xxh3_128_add(state, bytes, byte_count);
}
void swzip_decode_table_build(const uint8_t lengths[256], unsigned shift, swzip_decode_table *table) {
  swzip_kernels()->decode_table_build(lengths, shift, table);
}
uint8_t *swzip_huffman_encode(const uint8_t *symbols, size_t count, const swzip_encode_table *table, uint8_t *out,
                              uint32_t first_position, uint32_t *missing, uint32_t missing_capacity,
                              uint32_t *missing_count) {
  return swzip_kernels()->huffman_encode(symbols, count, table, out, first_position, missing, missing_capacity,
                                         missing_count);
}
bool swzip_nodes_decode(const swzip_node_tree *tree, const uint8_t *bytes, size_t byte_count, uint32_t count,
                        uint8_t *symbols, uint8_t *room) {
  return swzip_kernels()->nodes_decode(tree, bytes, byte_count, count, symbols, room);
}
uint8_t *swzip_nodes_encode(const swzip_node_tree *tree, const uint8_t *symbols, uint32_t count, uint8_t *out,
                            uint8_t *room, const swzip_missing *missing) {
  return swzip_kernels()->nodes_encode(tree, symbols, count, out, room, missing);
}
bool swzip_float_decode(const swzip_float_block *block, void *out, uint8_t *scratch, bool streaming, uint64_t *hash) {
  return swzip_kernels()->float_decode(block, out, scratch, streaming, hash);
}
bool swzip_float_split(swzip_float_kind kind, const void *values, uint32_t count, uint16_t window_base,
                       uint8_t *symbols, uint8_t *raw_plane, uint8_t *low0, uint8_t *low1) {
  return swzip_kernels()->float_split(kind, values, count, window_base, symbols, raw_plane, low0, low1);
}
uint32_t swzip_fixed4_escapes(const uint8_t *codes, uint32_t count) {
  return swzip_kernels()->fixed4_escapes(codes, count);
}
void swzip_fixed4_decode(const uint8_t *codes, const uint8_t codebook[16], const uint8_t *raw_plane,
                         const uint8_t *escapes, uint32_t count, void *out, bool streaming, uint64_t *hash) {
  swzip_kernels()->fixed4_decode(codes, codebook, raw_plane, escapes, count, out, streaming, hash);
}
uint32_t swzip_fixed4_encode(const void *values, uint32_t count, uint8_t window_first, uint8_t *codes,
                             uint8_t *raw_plane, uint8_t *escapes) {
  return swzip_kernels()->fixed4_encode(values, count, window_first, codes, raw_plane, escapes);
}
void swzip_row_sums(const uint8_t *symbols, uint32_t rows, uint32_t row_length, uint32_t *sums) {
  swzip_kernels()->row_sums(symbols, rows, row_length, sums);
}
void swzip_histogram_add(const uint8_t *bytes, size_t count, size_t step, uint32_t counts[256]) {
  swzip_kernels()->histogram_add(bytes, count, step, counts);
}
bool swzip_rans_decode(const uint8_t *words, size_t word_count, const uint8_t *states, size_t count,
                       const uint8_t *numbers, const swzip_rans_table *tables, uint8_t *symbols) {
  return swzip_kernels()->rans_decode(words, word_count, states, count, numbers, tables, symbols);
}
size_t swzip_rans_encode(const uint8_t *symbols, size_t count, const uint8_t *numbers,
                         const swzip_rans_encode_table *tables, uint32_t states[SWZIP_STREAMS], uint16_t *end) {
  return swzip_kernels()->rans_encode(symbols, count, numbers, tables, states, end);
}
void swzip_sparse_expand(const uint8_t *mask, uint32_t count, unsigned width, const void *values, void *out) {
  swzip_kernels()->sparse_expand(mask, count, width, values, out);
}
void swzip_rans_numbers(const uint8_t *row_classes, size_t rows, const uint8_t *columns, size_t row_length,
                        const uint8_t map[32], uint8_t *numbers) {
  swzip_kernels()->rans_numbers(row_classes, rows, columns, row_length, map, numbers);
}
void swzip_delta_symbols(const swzip_delta_kind *kind, const void *values, const void *base, size_t count,
                         uint8_t *symbols) {
  swzip_kernels()->delta_symbols(kind, values, base, count, symbols);
}
size_t swzip_delta_low_bits(const swzip_delta_kind *kind, const void *values, const void *base, const uint8_t *symbols,
                            size_t count, uint8_t *out) {
  return swzip_kernels()->delta_low_bits(kind, values, base, symbols, count, out);
}
void swzip_delta_numbers(const swzip_delta_kind *kind, const void *base, size_t count, unsigned top, unsigned contexts,
                         const uint8_t map[32], uint8_t *numbers) {
  swzip_kernels()->delta_numbers(kind, base, count, top, contexts, map, numbers);
}
size_t swzip_delta_apply(const swzip_delta_kind *kind, const uint8_t *symbols, const uint8_t *bits, size_t byte_count,
                         const void *base, size_t count, void *out) {
  return swzip_kernels()->delta_apply(kind, symbols, bits, byte_count, base, count, out);
}
size_t swzip_delta_dense(const uint8_t *numbers, size_t count, uint8_t *mask, uint8_t *dense) {
  return swzip_kernels()->delta_dense(numbers, count, mask, dense);
}
