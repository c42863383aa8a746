// Runs a kernel over 64 Ki bf16 values as weights have them (for tools/bench/instructions).  instructions [KERNEL LEVEL TIMES]
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "swzip_kernels.h"

enum { count = 65536, tables = 8 };
static const swzip_float_kind kind = SWZIP_BF16_J1;
static const swzip_delta_kind delta = {2, true, 7, 255};
static const uint8_t window_first = 110;

static uint8_t *values, *base, *symbols, *raw, *list, *room, *decoded, *out, *codes, *rotated, *escapes;
static uint8_t *delta_symbols, *low_bits, *numbers, *mask, *dense, *map, codebook[16];
static size_t list_bytes, low_bytes, word_count;
static swzip_node_tree tree;
static swzip_rans_table *rans_tables;
static uint16_t *words;
static uint32_t states[SWZIP_STREAMS], missing_count;
static uint64_t hash;

static void *area(size_t bytes) {
  void *const memory = aligned_alloc(64, (bytes + 4096 + 63) / 64 * 64);
  if (!memory) exit(2);
  return memset(memory, 0, bytes + 4096);
}

static uint64_t state = 88172645463325252u;
static float uniform(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (float)(state >> 40) / 16777216;
}
static float normal(void) {
  float sum = -6;
  for (int i = 0; i < 12; i++) sum += uniform();
  return sum;
}
static void store_bf16(uint8_t *to, float value) { memcpy(to, (const uint8_t *)&value + 2, 2); }

static void nodes_decode(void) { swzip_nodes_decode(&tree, list, list_bytes, count, decoded, room); }
static void nodes_encode(void) {
  const swzip_missing missing = {NULL, 0, 0, &missing_count};
  list_bytes = (size_t)(swzip_nodes_encode(&tree, symbols, count, list, room, &missing) - list);
}
static void float_decode(void) {
  const swzip_float_block block = {.kind = kind, .count = count, .raw_plane = raw, .symbols = decoded};
  swzip_float_decode(&block, out, room, false, &hash);
}
static void float_split(void) { swzip_float_split(kind, values, count, 0, symbols, raw, NULL, NULL); }
static void fixed4_decode(void) { swzip_fixed4_decode(codes, codebook, rotated, escapes, count, out, false, &hash); }
static void fixed4_encode(void) { swzip_fixed4_encode(values, count, window_first, codes, rotated, escapes); }
static void make_delta_symbols(void) { swzip_delta_symbols(&delta, values, base, count, delta_symbols); }
static void delta_low_bits(void) { low_bytes = swzip_delta_low_bits(&delta, values, base, delta_symbols, count, low_bits); }
static void delta_numbers(void) { swzip_delta_numbers(&delta, base, count, 127, 32, map, numbers); }
static void delta_dense(void) { swzip_delta_dense(numbers, count, mask, dense); }
static void delta_apply(void) { swzip_delta_apply(&delta, delta_symbols, low_bits, low_bytes, base, count, out); }
static void rans_decode(void) {
  const uint8_t *const first = (const uint8_t *)(words + count + 1 - word_count);
  swzip_rans_decode(first, word_count, (const uint8_t *)states, count, numbers, rans_tables, decoded);
}
static void sparse_expand(void) { swzip_sparse_expand(list, count, 2, values, out); }

#define KERNEL(name) {#name, name}
static const struct {
  const char *name;
  void (*run)(void);
} kernels[] = {KERNEL(nodes_decode),  KERNEL(nodes_encode),  KERNEL(float_decode),  KERNEL(float_split), KERNEL(fixed4_decode),
               KERNEL(fixed4_encode), {"delta_symbols", make_delta_symbols}, KERNEL(delta_low_bits), KERNEL(delta_numbers),
               KERNEL(delta_dense),   KERNEL(delta_apply),   KERNEL(rans_decode),   KERNEL(sparse_expand)};

// All that kernels read.
static void prepare(void) {
  values = area(2 * count), base = area(2 * count), symbols = area(count), raw = area(2 * count), list = area(2 * count);
  room = area(2 * SWZIP_NODE_ROOM(count)), decoded = area(count), out = area(2 * count), codes = area(count);
  rotated = area(count), escapes = area(count), delta_symbols = area(count), low_bits = area(2 * count);
  numbers = area(count), mask = area(count), dense = area(count), map = area(32), words = area(2 * count);
  for (int i = 0; i < count; i++) {
    const float value = normal() / 50;
    store_bf16(values + 2 * i, value);
    store_bf16(base + 2 * i, value + normal() / 10000);
  }
  uint32_t counts[256] = {0}, delta_counts[256] = {0};
  uint8_t lengths[256], levels[256] = {0};
  float_split();
  swzip_histogram_add(symbols, count, 1, counts);
  swzip_code_lengths(counts, lengths);
  swzip_node_tree_build(lengths, swzip_float_shift(kind), &tree);
  nodes_encode();
  nodes_decode();
  for (int i = 1; i < 16; i++) codebook[i] = (uint8_t)(window_first + i - 1);
  fixed4_encode();
  for (int i = 0; i < 32; i++) map[i] = (uint8_t)(i / 4 % tables);
  make_delta_symbols();
  delta_low_bits();
  delta_numbers();
  swzip_histogram_add(delta_symbols, count, 1, delta_counts);
  for (int s = 0; s < 256; s++)
    if (delta_counts[s]) levels[s] = (uint8_t)(1 + 4 * (31 - __builtin_clz(delta_counts[s])) % SWZIP_RANS_LEVELS);
  uint16_t frequencies[256];
  swzip_rans_frequencies(levels, frequencies);
  rans_tables = area(tables * sizeof *rans_tables);
  swzip_rans_encode_table *const encode = area(tables * sizeof *encode);
  for (int t = 0; t < tables; t++) {
    swzip_rans_table_build(frequencies, 0, rans_tables + t);
    swzip_rans_encode_table_build(frequencies, encode + t);
  }
  swzip_rans_states_begin(states);
  word_count = swzip_rans_encode(delta_symbols, count, numbers, encode, states, words + count + 1);
}

int main(int argc, char **argv) {
  for (size_t i = 0; i < sizeof kernels / sizeof kernels[0]; i++) {
    if (argc < 4) {
      puts(kernels[i].name);
    } else if (!strcmp(kernels[i].name, argv[1])) {
      if (!swzip_level_choose((swzip_level)atoi(argv[2]))) return 3;
      prepare();
      for (int times = atoi(argv[3]); times > 0; times--) kernels[i].run();
      return 0;
    }
  }
  return argc < 4 ? 0 : 2;
}
