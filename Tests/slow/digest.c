// Encodes and decodes known blocks with every kernel and prints a hash of all it made: the same on each processor and
// at each level.  digest [LEVEL]
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "swzip_kernels.h"

enum { most = 20011, whole = 20224, slack = 4096 };

static uint64_t state = 88172645463325252u;
static uint32_t next_random(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (uint32_t)(state >> 20);
}

static void *area(size_t bytes) {
  void *const memory = aligned_alloc(64, (bytes + slack + 63) / 64 * 64);
  if (!memory) exit(2);
  memset(memory, 0, bytes + slack);
  return memory;
}

static uint64_t sum;
static void add(const void *bytes, size_t count) { sum = swzip_xxh3_64(bytes, count, sum); }
static void show(const char *what, uint32_t number) {
  printf("%s %u: %016llx\n", what, (unsigned)number, (unsigned long long)sum);
}

static void require(int good, const char *what) {
  if (!good) {
    printf("WRONG: %s\n", what);
    exit(1);
  }
}

// Values whose upper bytes are skewed, as weights are; a few are anything.
static void make_values(uint8_t *values, uint32_t count, unsigned width) {
  for (uint32_t i = 0; i < count * width; i++) {
    const uint32_t r = next_random();
    const int upper = i % width == width - 1 && r % 997;
    values[i] = (uint8_t)(upper ? 0x3A + (r >> 8 & r >> 12 & 3) + (r >> 30 << 7) : r >> 16);
  }
}

static void floats(swzip_float_kind kind, uint32_t count) {
  const unsigned width = swzip_float_width(kind);
  const uint16_t window_base = 0;
  uint8_t *const values = area(whole * 4), *const symbols = area(whole), *const raw = area(whole * 4);
  uint8_t *const low0 = area(whole), *const low1 = area(whole), *const streams = area(whole * 2), *const out = area(whole * 4);
  uint8_t *const scratch = area(swzip_float_scratch_bytes(count)), *const patches = area(6 * whole);
  uint32_t *const positions = area(4 * whole);
  make_values(values, count, width);
  swzip_float_split(kind, values, count, window_base, symbols, raw, low0, low1);
  add(symbols, count);
  add(raw, swzip_raw_plane_bytes(kind, count));
  uint32_t patch_count = swzip_float_outside(kind, values, count, window_base, positions, whole);
  for (uint32_t i = 0; i < patch_count; i++) {
    const uint16_t patch[3] = {(uint16_t)(positions[i] / SWZIP_UNIT), (uint16_t)(positions[i] % SWZIP_UNIT),
                               swzip_float_coded_part(kind, values, positions[i])};
    memcpy(patches + 6 * i, patch, sizeof patch);
  }
  uint32_t counts[256] = {0};
  swzip_histogram_add(symbols, count, 1, counts);
  counts[0]++, counts[1]++;
  uint8_t lengths[256];
  swzip_code_lengths(counts, lengths);
  add(lengths, sizeof lengths);
  swzip_encode_table encoder;
  swzip_encode_table_build(lengths, counts, &encoder);
  swzip_decode_table *const decoder = area(sizeof *decoder);
  swzip_decode_table_build(lengths, swzip_float_shift(kind), decoder);
  add(decoder->entry, sizeof decoder->entry);

  swzip_float_block block = {.kind = kind, .count = count, .window_base = window_base, .raw_plane = raw,
                             .low_plane = {low0, low1}, .streams = streams, .patches = patches,
                             .patch_count = patch_count, .table = {decoder, decoder, decoder, decoder}};
  const swzip_geometry geometry = swzip_geometry_unsorted(count);
  uint8_t *end = streams;
  uint32_t missing[1], missing_count = 0;
  for (uint32_t s = 0; s < SWZIP_STREAMS; s++) {
    const uint32_t length = geometry.stream[0], from = s * length < count ? s * length : count;
    const uint32_t n = from + length < count ? length : count - from;
    block.stream_offset[s] = (uint32_t)(end - streams);
    if (n) end = swzip_huffman_encode(symbols + from, n, &encoder, end, from, missing, 1, &missing_count);
  }
  block.stream_offset[SWZIP_STREAMS] = (uint32_t)(end - streams);
  require(missing_count == 0, "a symbol without a code");
  add(streams, (size_t)(end - streams));
  uint64_t hash;
  require(swzip_float_decode(&block, out, scratch, count % 2, &hash), "decoding");
  require(memcmp(values, out, (size_t)count * width) == 0, "the decoded values");
  require(hash == swzip_xxh3_64(values, (size_t)count * width, 0), "the hash of the values");
  add(&hash, sizeof hash);

  // The same symbols by nodes.
  swzip_node_tree *const tree = area(sizeof *tree);
  uint8_t *const room = area(2 * SWZIP_NODE_ROOM(count)), *const listed = area(whole);
  const swzip_missing nowhere = {missing, 1, 0, &missing_count};
  swzip_node_tree_build(lengths, swzip_float_shift(kind), tree);
  const size_t listed_bytes = (size_t)(swzip_nodes_encode(tree, symbols, count, streams, room, &nowhere) - streams);
  require(missing_count == 0, "a symbol without a code among nodes");
  add(streams, listed_bytes);
  require(swzip_nodes_decode(tree, streams, listed_bytes, count, listed, room), "decoding nodes");
  block.symbols = listed;
  memset(out, 0, (size_t)count * width);
  require(swzip_float_decode(&block, out, scratch, count % 2, &hash), "decoding of symbols");
  require(memcmp(values, out, (size_t)count * width) == 0, "the values of nodes");
  show("float", (uint32_t)kind * 100000 + count);
  void *const all[] = {values, symbols, raw, low0, low1, streams, out, scratch, patches, positions, decoder, tree, room, listed};
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) free(all[i]);
}

static void planes(uint32_t count, unsigned width) {
  uint8_t *const values = area(whole * 8), *const out = area(whole * 8), *plane[8];
  for (int i = 0; i < 8; i++) plane[i] = area(whole);
  make_values(values, count, width);
  swzip_planes_split(values, count, width, plane);
  for (unsigned i = 0; i < width; i++) add(plane[i], count);
  swzip_planes_merge((const uint8_t *const *)plane, count, width, out);
  require(memcmp(values, out, (size_t)count * width) == 0, "the merged planes");
  show("planes", count * 10 + width);
  for (int i = 0; i < 8; i++) free(plane[i]);
  free(values);
  free(out);
}

// Differences of all widths, and predictions, whose arithmetic every processor has to round alike.
static void deltas(uint32_t count) {
  static const swzip_delta_kind kinds[] = {{1, false, 0, 0}, {2, true, 7, 255}, {4, true, 23, 255}, {8, true, 55, 255}};
  uint8_t *const values = area(whole * 8), *const base = area(whole * 8), *const low = area(whole * 8 + 8);
  uint8_t *const symbols = area(whole), *const out = area(whole * 8);
  for (int i = 0; i < 4; i++) {
    const unsigned width = kinds[i].width;
    make_values(base, count, width);
    make_values(values, count, width);
    swzip_delta_symbols(kinds + i, values, base, count, symbols);
    add(symbols, count);
    const size_t low_bytes = swzip_delta_low_bits(kinds + i, values, base, symbols, count, low);
    add(low, low_bytes);
    require(swzip_delta_apply(kinds + i, symbols, low, low_bytes, base, count, out) == low_bytes, "the low bits");
    require(memcmp(values, out, (size_t)count * width) == 0, "the values of a delta");
  }
  const void *references[4];
  for (int i = 0; i < 4; i++) {
    uint8_t *const reference = area(whole * 4);
    make_values(reference, count, 4);
    references[i] = reference;
  }
  for (int kind = SWZIP_PREDICT_SCALED; kind <= SWZIP_PREDICT_WEIGHT; kind++)
    for (int half = 0; half <= (kind == SWZIP_PREDICT_WEIGHT); half++) {
      const swzip_prediction p = {(swzip_prediction_kind)kind, half, 0.99, 0.9, 0.999, 0.9999f, 1e-3f, 1e-8f};
      swzip_predict(&p, references, count, out);
      add(out, (size_t)count * (half ? 2 : 4));
    }
  show("deltas", count);
  for (int i = 0; i < 4; i++) free((void *)(uintptr_t)references[i]);
  void *const all[] = {values, base, low, symbols, out};
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) free(all[i]);
}

// Values from codes and scales, and the scales that fit them, whose arithmetic every processor has to round alike.
static void lattices(uint32_t count) {
  uint8_t *const symbols = area(whole), *const out = area(whole * 4), *const room = area(whole * 8), *const digits = area(whole);
  float *const scales = area(whole * 4), *const entries = area(4 * SWZIP_LATTICE_ENTRIES);
  swzip_lattice_search *const search = area(sizeof *search);
  swzip_lattice_tops *const tops = area(sizeof *tops);
  const uint32_t row = 96, columns[] = {32, 64, 96}, rows = (count + row - 1) / row;
  uint32_t *const bands = area(4 * rows);
  for (uint32_t i = 0; i < rows; i++) bands[i] = i + 1;
  for (uint32_t i = 0; i < 3 * rows; i++) scales[i] = (float)(1 + next_random() % 1024) / 65536;
  for (int kind = SWZIP_BOOK_E4M3; kind < SWZIP_BOOKS; kind++) {
    swzip_lattice_book book = {.count = 0, .per_symbol = 1};
    swzip_lattice_book_make((swzip_lattice_book_kind)kind, &book);
    swzip_lattice_entries(&book, entries);
    swzip_lattice_search_make(&book, search);
    swzip_lattice_tops_make((swzip_lattice_book_kind)kind, 0, tops);
    for (uint32_t i = 0; i < count; i++) symbols[i] = (uint8_t)(next_random() % book.count);
    for (int type = 0; type < 3; type++) {
      const swzip_lattice lattice = {(swzip_lattice_type)type, row, 3, rows, columns, bands, scales, type ? scales : NULL, 0};
      swzip_lattice_values(&lattice, entries, 1, symbols, 0, count, out, room);
      add(out, (size_t)count * (type == 2 ? 4 : 2));
      uint32_t missing[4];
      require(swzip_lattice_digits(&lattice, search, out, 0, count, digits, room, missing, 4) == 0, "digits of a lattice");
      add(digits, count);
      swzip_lattice_fit fit;
      for (uint32_t i = 0; type == 0 && i + row <= count; i += row)
        if (swzip_lattice_fit_group(lattice.type, search, tops, out + 2 * i, 1, row, 32, 0, false, &fit)) {
          const double bounds[] = {fit.low, fit.high};
          add(bounds, sizeof bounds);
        }
    }
  }
  show("lattices", count);
  void *const all[] = {symbols, out, room, digits, scales, entries, search, tops, bands};
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) free(all[i]);
}

static void fixed4(uint32_t count) {
  uint8_t *const values = area(whole * 2), *const out = area(whole * 2), *const codes = area(whole);
  uint8_t *const raw = area(whole * 2), *const escapes = area(whole);
  make_values(values, count, 2);
  const uint32_t escaped = swzip_fixed4_encode(values, count, 110, codes, raw, escapes);
  add(codes, (count + 1) / 2);
  add(escapes, escaped);
  require(swzip_fixed4_escapes(codes, count) == escaped, "the escapes");
  show("fixed4", count);
  void *const all[] = {values, out, codes, raw, escapes};
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) free(all[i]);
}

static void rows(uint32_t count, uint32_t length) {
  uint8_t *const symbols = area(whole), *const groups = area(whole), *const out = area(whole);
  uint32_t *const sums = area(whole), *const natural = area(whole);
  make_values(symbols, count * length, 1);
  swzip_row_sums(symbols, count, length, sums);
  add(sums, 4 * (size_t)count);
  swzip_rows_group(sums, count, groups);
  add(groups, (count + 3) / 4);
  swzip_rows_gather(symbols, count, length, groups, out, natural);
  add(out, (size_t)count * length);
  show("rows", count);
  void *const all[] = {symbols, groups, out, sums, natural};
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) free(all[i]);
}

static void hashes(void) {
  uint8_t *const bytes = area(whole);
  make_values(bytes, most, 1);
  void *const hasher = area(SWZIP_XXH3_STATE_BYTES);
  for (uint32_t count = 0; count < most; count += 1 + count / 3) {
    uint64_t both[2];
    swzip_xxh3_128_begin(hasher);
    swzip_xxh3_128_add(hasher, bytes, count / 3);
    swzip_xxh3_128_add(hasher, bytes + count / 3, count - count / 3);
    swzip_xxh3_128_end(hasher, &both[0], &both[1]);
    add(both, sizeof both);
    add(bytes, count);
  }
  show("hashes", most);
  free(hasher);
  free(bytes);
}

int main(int argc, char **argv) {
  const int level = argc > 1 ? atoi(argv[1]) : 0;
  if (!swzip_level_choose((swzip_level)level)) return 3;
  static const uint32_t counts[] = {1, 31, 256, 8192, 16385, most};
  for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
    for (int kind = SWZIP_BF16_J0; kind <= SWZIP_F32_J1; kind++) floats((swzip_float_kind)kind, counts[i]);
    for (unsigned width = 1; width <= 8; width *= 2) planes(counts[i], width);
    fixed4(counts[i]);
    deltas(counts[i]);
    lattices(counts[i]);
  }
  rows(100, 64);
  rows(33, 416);
  hashes();
  return 0;
}
