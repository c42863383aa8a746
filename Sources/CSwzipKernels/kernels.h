// Shared by the kernel files: loads and stores, and the kernels of which levels of the processor have their own.
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

// M(0), M(1) and so on to M(255), for tables that the compiler makes.
#define SWZIP_EACH_4(M, n) M((n) + 0u) M((n) + 1u) M((n) + 2u) M((n) + 3u)
#define SWZIP_EACH_16(M, n) SWZIP_EACH_4(M, n) SWZIP_EACH_4(M, (n) + 4u) SWZIP_EACH_4(M, (n) + 8u) SWZIP_EACH_4(M, (n) + 12u)
#define SWZIP_EACH_64(M, n) \
  SWZIP_EACH_16(M, n) SWZIP_EACH_16(M, (n) + 16u) SWZIP_EACH_16(M, (n) + 32u) SWZIP_EACH_16(M, (n) + 48u)
#define SWZIP_EACH_BYTE(M) SWZIP_EACH_64(M, 0u) SWZIP_EACH_64(M, 64u) SWZIP_EACH_64(M, 128u) SWZIP_EACH_64(M, 192u)

#define INLINE static inline __attribute__((always_inline))
#define NOINLINE __attribute__((noinline))

#pragma GCC visibility push(hidden)

// What is to come into the cache meanwhile. Only a hint: the addresses need not exist.
typedef struct { const uint8_t *from, *to; } swzip_prefetch;

// For each kernel: whose it is at the levels AVX2, AVX-512 and NEON, its result, name and parameters. swzip_NAME_portable is
// the definition; swzip_NAME_avx2, swzip_NAME_avx512 and swzip_NAME_neon give the same bytes.
#define SWZIP_KERNELS(KERNEL)                                                                                                   \
  KERNEL(avx2, avx2, portable, uint64_t, xxh3_64, (const void *bytes, size_t byte_count, uint64_t seed))                        \
  KERNEL(avx2, avx2, portable, void, xxh3_128_add, (void *state, const void *bytes, size_t byte_count))                         \
  KERNEL(avx2, avx2, portable, void, decode_table_build, (const uint8_t *lengths, unsigned shift, swzip_decode_table *table))   \
  KERNEL(avx2, avx512, portable, uint8_t *, huffman_encode,                                                                     \
         (const uint8_t *symbols, size_t count, const swzip_encode_table *table, uint8_t *out,                                  \
          uint32_t first_position, uint32_t *missing, uint32_t missing_capacity, uint32_t *missing_count))                      \
  KERNEL(avx2, avx2, portable, void, huffman_decode,                                                                            \
         (const uint8_t *streams, const uint32_t *position, int64_t length, int64_t values, uint8_t *low,                       \
          size_t stride, const swzip_decode_table *table, swzip_prefetch ahead, swzip_prefetch plane))                          \
  KERNEL(avx2, avx512, neon, bool, nodes_decode,                                                                                \
         (const swzip_node_tree *tree, const uint8_t *bytes, size_t byte_count, uint32_t count, uint8_t *symbols,               \
          uint8_t *room))                                                                                                       \
  KERNEL(avx2, avx512, neon, uint8_t *, nodes_encode,                                                                           \
         (const swzip_node_tree *tree, const uint8_t *symbols, uint32_t count, uint8_t *out, uint8_t *room,                     \
          const swzip_missing *missing))                                                                                        \
  KERNEL(avx2, avx512, neon, bool, float_decode,                                                                                \
         (const swzip_float_block *block, void *out, uint8_t *scratch, bool streaming, uint64_t *hash))                         \
  KERNEL(avx2, avx512, neon, bool, float_split,                                                                                 \
         (swzip_float_kind kind, const void *values, uint32_t count, uint16_t window_base, uint8_t *symbols,                    \
          uint8_t *raw_plane, uint8_t *low0, uint8_t *low1))                                                                    \
  KERNEL(avx2, avx2, neon, uint32_t, fixed4_escapes, (const uint8_t *codes, uint32_t count))                                    \
  KERNEL(avx2, avx2, neon, void, fixed4_decode,                                                                                 \
         (const uint8_t *codes, const uint8_t *codebook, const uint8_t *raw_plane, const uint8_t *escapes,                      \
          uint32_t count, void *out, bool streaming, uint64_t *hash))                                                           \
  KERNEL(avx2, avx2, neon, uint32_t, fixed4_encode,                                                                             \
         (const void *values, uint32_t count, uint8_t window_first, uint8_t *codes, uint8_t *raw_plane,                         \
          uint8_t *escapes))                                                                                                    \
  KERNEL(avx2, avx2, portable, void, row_sums, (const uint8_t *symbols, uint32_t rows, uint32_t row_length, uint32_t *sums))    \
  KERNEL(portable, avx512, portable, void, histogram_add, (const uint8_t *bytes, size_t count, size_t step, uint32_t *counts))  \
  KERNEL(avx2, avx512, neon, bool, rans_decode,                                                                                 \
         (const uint8_t *words, size_t word_count, const uint8_t *states, size_t count, const uint8_t *numbers,                 \
          const swzip_rans_table *tables, uint8_t *symbols))                                                                    \
  KERNEL(portable, avx512, portable, size_t, rans_encode,                                                                       \
         (const uint8_t *symbols, size_t count, const uint8_t *numbers, const swzip_rans_encode_table *tables,                  \
          uint32_t *states, uint16_t *end))                                                                                     \
  KERNEL(avx2, avx2, neon, void, rans_numbers,                                                                                  \
         (const uint8_t *row_classes, size_t rows, const uint8_t *columns, size_t row_length, const uint8_t *map,               \
          uint8_t *numbers))                                                                                                    \
  KERNEL(avx2, avx2, portable, void, lattice_values,                                                                            \
         (const swzip_lattice *lattice, const float *entries, uint32_t per_symbol, const uint8_t *symbols, uint64_t first,      \
          uint32_t count, void *out, void *room))                                                                               \
  KERNEL(avx2, avx2, portable, bool, lattice_fit_group,                                                                         \
         (swzip_lattice_type type, const swzip_lattice_search *search, const swzip_lattice_tops *tops, const void *values,      \
          uint32_t count, size_t stride, uint32_t length, uint32_t hint, bool exactly, swzip_lattice_fit *fit))                 \
  KERNEL(avx2, avx512, neon, void, sparse_expand,                                                                               \
         (const uint8_t *mask, uint32_t count, unsigned width, const void *values, void *out))                                  \
  KERNEL(avx2, avx512, neon, void, delta_symbols,                                                                               \
         (const swzip_delta_kind *kind, const void *values, const void *base, size_t count, uint8_t *symbols))                  \
  KERNEL(avx2, avx512, neon, size_t, delta_low_bits,                                                                            \
         (const swzip_delta_kind *kind, const void *values, const void *base, const uint8_t *symbols, size_t count,             \
          uint8_t *out))                                                                                                        \
  KERNEL(avx2, avx2, neon, void, delta_numbers,                                                                                 \
         (const swzip_delta_kind *kind, const void *base, size_t count, unsigned top, unsigned contexts,                        \
          const uint8_t *map, uint8_t *numbers))                                                                                \
  KERNEL(avx2, avx512, neon, size_t, delta_apply,                                                                               \
         (const swzip_delta_kind *kind, const uint8_t *symbols, const uint8_t *bits, size_t byte_count,                         \
          const void *base, size_t count, void *out))                                                                           \
  KERNEL(avx2, avx2, neon, size_t, delta_dense, (const uint8_t *numbers, size_t count, uint8_t *mask, uint8_t *dense))          \
  KERNEL(avx2, avx2, portable, void, predict,                                                                                   \
         (const swzip_prediction *prediction, const void *const *references, size_t count, void *out))                          \
  KERNEL(avx2, avx2, portable, void, replay_decode,                                                                             \
         (const swzip_replay *replay, const swzip_replay_block *block, const void *x, void *out))                               \
  KERNEL(avx2, avx2, portable, size_t, replay_encode,                                                                           \
         (const swzip_replay *replay, const swzip_replay_block *block, const void *x, const void *in, size_t most))

#define DECLARE(at_avx2, at_avx512, at_neon, result, name, parameters) \
  result swzip_##name##_portable parameters;                           \
  result swzip_##name##_##at_avx2 parameters;                          \
  result swzip_##name##_##at_avx512 parameters;                        \
  result swzip_##name##_##at_neon parameters;
SWZIP_KERNELS(DECLARE)
#undef DECLARE

// The kernels of a level.
typedef struct {
#define POINTER(at_avx2, at_avx512, at_neon, result, name, parameters) result(*name) parameters;
  SWZIP_KERNELS(POINTER)
#undef POINTER
} swzip_kernel_set;
const swzip_kernel_set *swzip_kernels(void);  // of the level in use

#pragma GCC visibility pop
#endif
