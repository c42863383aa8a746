// Compares every kernel of every level that this processor has with the portable one, over random and edge inputs.
// Every buffer lies between two pages that cannot be touched, flush with one of them or anywhere between, and is as long
// as include/swzip_kernels.h says. Prints `N passed, 0 failed` and exits 0, or names what differs.
//
//   clang -std=c17 -O1 -g -I Sources/CSwzipKernels/include Tests/kernels/compare_levels.c Sources/CSwzipKernels/*.c
//
// -fsanitize=address,undefined may be added. An argument is the seed of the random numbers, a second one the rounds (3).
#define _DEFAULT_SOURCE  // MAP_ANONYMOUS
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "swzip_kernels.h"

static const char *const level_names[] = {"portable", "avx2", "avx512", "neon"};
static const char *const kind_names[] = {"bf16 j0", "bf16 j1", "f16", "e4m3", "e5m2", "f32 j0", "f32 j1", "bf16 j2", "f16 j2", "f32 j2", "bf16 u1", "f32 u1"};
enum { levels = SWZIP_LEVELS, kinds = SWZIP_FLOAT_KINDS, page = 4096, most_values = 3 * 8192 };

static unsigned long passed, failed;
static void check(int good, const char *what, int level, const char *detail, unsigned long number) {
  if (good) {
    passed++;
  } else if (++failed <= 20) {
    printf("FAILED: %s, %s, %s %lu\n", what, level_names[level], detail, number);
  }
}

static uint64_t state = 88172645463325252u;
static uint64_t next_random(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state * 2685821657736338717u;
}
static uint32_t below(uint32_t limit) { return limit ? (uint32_t)((next_random() >> 32) * limit >> 32) : 0; }

// ---------------------------------------------------------------- buffers between guard pages

enum { areas = 32, area_bytes = 80 * page };
static uint8_t *area[areas];
static int used_areas;

static void make_areas(void) {
  for (int i = 0; i < areas; i++) {
    uint8_t *const at = mmap(NULL, area_bytes + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED || mprotect(at + page, area_bytes, PROT_READ | PROT_WRITE)) {
      puts("FAILED: no memory");
      exit(2);
    }
    area[i] = at + page;
  }
}

// `bytes` bytes, a multiple of `alignment` from a page's start, filled with noise.
static uint8_t *buffer(size_t bytes, size_t alignment) {
  if (used_areas == areas || bytes > area_bytes) {
    printf("FAILED: a buffer of %zu bytes\n", bytes);
    exit(2);
  }
  uint8_t *const start = area[used_areas++];
  const size_t most = (area_bytes - bytes) / alignment * alignment;
  size_t at = 0;
  switch (below(3)) {
    case 0: break;
    case 1: at = most; break;
    default: at = below((uint32_t)(most < 4096 ? most : 4096) + 1) / alignment * alignment; break;
  }
  uint64_t noise = next_random();
  for (size_t i = 0; i < bytes; i++) start[at + i] = (uint8_t)(noise >> (i & 7) * 8);
  return start + at;
}
static uint8_t *copy_of(const void *bytes, size_t count, size_t slack) {
  uint8_t *const to = buffer(count + slack, 1);
  memcpy(to, bytes, count);
  return to;
}

static int for_level(int level) { return swzip_level_choose((swzip_level)level); }

// ---------------------------------------------------------------- inputs

// 0 narrow bell, 1 wide bell, 2 anything, 3 few values, 4 one value nearly always, 5 two far clusters
static uint8_t random_symbol(int shape) {
  const uint32_t bell = below(16) + below(16) + below(16) + below(16);
  switch (shape) {
    case 0: return (uint8_t)(100 + bell / 2);
    case 1: return (uint8_t)(40 + 2 * bell);
    case 2: return (uint8_t)next_random();
    case 3: return (uint8_t)(200 + below(3));
    case 4: return (uint8_t)(below(40) ? 7 : below(64));
    default: return (uint8_t)(below(30) ? 20 + bell / 4 : 240 + below(16));
  }
}
enum { shapes = 6 };

static size_t lengths_to_try(int i) {  // 0 to 600 and round numbers
  if (i <= 600) return (size_t)i;
  const size_t round[] = {1024, 2048, 2080, 4096, 8192};
  const size_t base = round[i % 5];
  return base - 3 + below(7);
}

// A code for these counts; the lengths of some symbols may be forced to 11 by tiny counts.
static void code_for(const uint32_t counts[256], int steep, uint8_t lengths[256]) {
  uint32_t mine[256];
  memcpy(mine, counts, sizeof mine);
  if (steep) {
    uint32_t weight = 1u << 30;
    for (int s = 0; s < 256; s++)
      if (mine[s]) {
        mine[s] = weight;
        if (weight > 1) weight /= 2;
      }
  }
  swzip_code_lengths(mine, lengths);
}

// ---------------------------------------------------------------- symbols

static void test_encode_decode(int number) {
  used_areas = 0;
  const size_t count = lengths_to_try(number);
  const int shape = number % shapes, steep = below(5) == 0, lossy = below(4) == 0;
  uint8_t *const symbols = buffer(count + 31, 1);
  uint32_t counts[256] = {0};
  for (size_t i = 0; i < count; i++) symbols[i] = random_symbol(shape);
  for (size_t i = 0; i < count; i++)
    if (!lossy || below(3)) counts[symbols[i]]++;
  if (lossy) counts[symbols[0]] = 0;
  uint8_t lengths[256];
  code_for(counts, steep, lengths);
  swzip_encode_table *const table = (void *)buffer(sizeof *table, _Alignof(swzip_encode_table));
  swzip_encode_table_build(lengths, counts, table);
  const size_t room = count * 11 / 8 + 16;
  const uint32_t capacity = below(2) ? 5 : 10000;
  uint8_t *out[levels];
  uint32_t *missing[levels], found[levels];
  size_t length[levels];
  for (int level = 0; level < levels; level++) {
    if (!for_level(level)) continue;
    found[level] = 0;
    out[level] = buffer(room, 1);
    missing[level] = (void *)buffer(capacity * 4, 4);
    length[level] = (size_t)(swzip_huffman_encode(symbols, count, table, out[level], 77, missing[level], capacity,
                                                  found + level) - out[level]);
    if (!level) continue;
    const size_t listed = found[0] < capacity ? found[0] : capacity;
    check(length[level] == length[0] && !memcmp(out[level], out[0], length[0]), "encode", level, "symbols:", count);
    check(found[level] == found[0] && !memcmp(missing[level], missing[0], 4 * listed), "missing", level, "symbols:", count);
  }
}

// A list of symbols by nodes: the same bytes, symbols that have no code reported, and whatever becomes of the bytes one verdict.
static void test_nodes(int number) {
  used_areas = 0;
  const uint32_t count = (uint32_t)(number < 690 ? lengths_to_try(number) : 1 + below(2 * most_values));
  const int shape = number % shapes, steep = below(5) == 0, lossy = below(4) == 0;
  const unsigned shift = below(4);
  uint8_t *const symbols = buffer(count, 1);
  uint32_t counts[256] = {0};
  for (size_t i = 0; i < count; i++) symbols[i] = random_symbol(shape) & (uint8_t)(255 >> shift);
  for (size_t i = 0; i < count; i++)
    if (!lossy || below(3)) counts[symbols[i]]++;
  if (lossy && count) counts[symbols[0]] = 0;
  uint8_t lengths[256];
  code_for(counts, steep, lengths);
  static swzip_node_tree tree;
  swzip_node_tree_build(lengths, shift, &tree);
  const size_t room_bytes = 2 * SWZIP_NODE_ROOM(count), most_bytes = (size_t)count * 11 / 8 + 511 + 64;
  const uint32_t capacity = below(2) ? 5 : 10000;
  uint8_t *out[levels];
  uint32_t *position[levels], found[levels];
  size_t length[levels];
  for (int level = 0; level < levels; level++) {
    if (!for_level(level)) continue;
    found[level] = 0;
    out[level] = buffer(most_bytes, 1);
    position[level] = (void *)buffer(capacity * 4, 4);
    const swzip_missing missing = {position[level], capacity, 77, &found[level]};
    length[level] = (size_t)(swzip_nodes_encode(&tree, symbols, count, out[level], buffer(room_bytes, 64), &missing) - out[level]);
    const size_t listed = found[0] < capacity ? found[0] : capacity;
    check(length[level] == length[0] && !memcmp(out[level], out[0], length[0]), "nodes encode", level, "symbols:", count);
    check(found[level] == found[0] && !memcmp(position[level], position[0], 4 * listed), "nodes missing", level, "symbols:", count);
  }
  uint8_t *decoded[levels];
  bool taken[levels];
  for (int hostile = 0; hostile < 4; hostile++) {
    uint8_t *const coded = copy_of(out[0], length[0], 64);
    size_t byte_count = length[0];
    if (hostile == 1) for (size_t i = 0; i < length[0]; i++) coded[i] = (uint8_t)next_random();
    if (hostile == 2 && length[0]) coded[below((uint32_t)length[0])] ^= (uint8_t)(1u << below(8));
    if (hostile == 3) byte_count = below((uint32_t)length[0]);
    const int areas_before = used_areas;
    for (int level = 0; level < levels; level++) {
      if (!for_level(level)) continue;
      decoded[level] = buffer((count + 63) / 64 * 64, 1);
      taken[level] = swzip_nodes_decode(&tree, coded, byte_count, count, decoded[level], buffer(room_bytes, 64));
      check(taken[level] == taken[0], "nodes verdict", level, "symbols:", count);
      check(!taken[0] || !memcmp(decoded[level], decoded[0], count), "nodes decode", level, hostile ? "hostile list" : "list", count);
    }
    int same = taken[0];
    for (uint32_t i = 0; i < count && same; i++)
      same = lengths[symbols[i]] ? decoded[0][i] == (uint8_t)(symbols[i] << shift) : 1;
    check(hostile || same, "nodes round trip", 0, "symbols:", count);
    check(hostile != 3 || byte_count == length[0] || !taken[0], "a list that is cut", 0, "symbols:", count);
    used_areas = areas_before - 1;
  }
}

// All 32 sub-streams of a plane, valid (decoded, they must give the symbols) or noise.
static void test_plane(int number) {
  used_areas = 0;
  const uint32_t count = number < 300 ? (uint32_t)number * 3 + 1 : 1 + below(most_values);
  const int shape = number % shapes, hostile = below(3) == 0;
  uint8_t *const symbols = buffer(count + 31, 1);
  uint32_t counts[4][256] = {{0}}, offset[SWZIP_STREAMS + 1] = {0};
  const swzip_geometry geometry = swzip_geometry_unsorted(count);
  for (uint32_t i = 0, g = 0, end_of_group = geometry.values[0]; i < count; i++) {
    while (i >= end_of_group) end_of_group += geometry.values[++g];
    symbols[i] = random_symbol((shape + (int)g) % shapes);
    counts[g][symbols[i]]++;
  }
  uint8_t lengths[4][256];
  static swzip_encode_table encode[4];
  for (int g = 0; g < 4; g++) {
    code_for(counts[g], below(5) == 0, lengths[g]);
    swzip_encode_table_build(lengths[g], counts[g], encode + g);
  }
  uint8_t *const coded = buffer((size_t)count * 11 / 8 + 64, 1);
  for_level(0);
  uint32_t at = 0, none = 0;
  uint8_t *end = coded;
  for (int s = 0; s < SWZIP_STREAMS; s++) {
    const uint32_t mine = at + geometry.stream[0] < count ? geometry.stream[0] : count - at;
    offset[s] = (uint32_t)(end - coded);
    end = swzip_huffman_encode(symbols + at, mine, encode + s / SWZIP_GROUP_STREAMS, end, at, NULL, 0, &none);
    at += mine;
  }
  offset[SWZIP_STREAMS] = (uint32_t)(end - coded);
  uint8_t *const streams = copy_of(coded, offset[SWZIP_STREAMS], SWZIP_INPUT_SLACK);
  if (hostile) {
    for (uint32_t i = 0; i < offset[SWZIP_STREAMS]; i++) streams[i] = (uint8_t)next_random();
    if (below(2))
      for (int s = 1; s < SWZIP_STREAMS; s++) offset[s] = offset[s - 1] + below(offset[SWZIP_STREAMS] - offset[s - 1] + 1) / 8;
  }
  uint8_t *out[levels];
  swzip_decode_table *table[levels];
  const unsigned shift = below(4);
  for (int level = 0; level < levels; level++) {
    if (!for_level(level)) continue;
    table[level] = (void *)buffer(4 * sizeof **table, _Alignof(swzip_decode_table));
    for (int g = 0; g < 4; g++) swzip_decode_table_build(lengths[g], shift, table[level] + g);
    const size_t tile_bytes = swzip_tile_bytes(count);
    uint8_t *const tile = buffer((tile_bytes + 63) / 64 * 64, 64);
    out[level] = buffer(count, 1);
    const swzip_decode_table *const tables[4] = {table[level], table[level] + 1, table[level] + 2, table[level] + 3};
    swzip_symbols_decode(streams, offset, count, tables, tile, out[level]);
    // Entries of one symbol give the same.
    static swzip_decode_table single[4];
    uint8_t *const again = buffer(count, 1);
    for (int g = 0; g < 4; g++) swzip_decode_table_build_single(lengths[g], shift, single + g);
    const swzip_decode_table *const singles[4] = {single, single + 1, single + 2, single + 3};
    swzip_symbols_decode(streams, offset, count, singles, tile, again);
    check(hostile || !memcmp(again, out[level], count), "tables of one symbol an entry", level, "values:", count);
    if (level) {
      for (int g = 0; g < 4; g++)
        check(!memcmp(table[level][g].entry, table[0][g].entry, sizeof table[0]->entry) &&
                  table[level][g].max_count >= table[0][g].max_count, "decode table", level, "plane", (unsigned long)number);
      check(!memcmp(out[level], out[0], count), "plane decode", level, hostile ? "hostile plane" : "plane", count);
    } else if (!hostile) {
      int same = 1;
      for (uint32_t i = 0; i < count; i++) same &= out[0][i] == (uint8_t)(symbols[i] << shift);
      check(same, "plane round trip", level, "values:", count);
    }
  }
}

// ---------------------------------------------------------------- floats

static void random_values(swzip_float_kind kind, uint8_t *values, uint32_t count, int shape) {
  const unsigned width = swzip_float_width(kind);
  for (uint32_t i = 0; i < count * width; i++) values[i] = (uint8_t)next_random();
  if (shape == 2) return;
  const unsigned raw_bits = swzip_float_raw_bits(kind), bits = width == 1 ? 8 : 16;
  for (uint32_t i = 0; i < count; i++) {
    // field by a symbol's distribution, shrunk to the field's width; rotated back
    unsigned field = random_symbol(shape) + (bits - raw_bits == 9 ? (shape & 1 ? 150u : 0u) : 0u);
    field = bits - raw_bits < 8 ? field >> (8 - (bits - raw_bits)) : field;
    if (!below(60)) field = 0;
    const unsigned rotated = field << raw_bits | below(1u << raw_bits);
    const unsigned value = bits == 8 ? (rotated >> 1 | rotated << 7) & 0xFF : (rotated >> 1 | rotated << 15) & 0xFFFF;
    uint8_t *const at = values + (size_t)i * width + (width == 4 ? 2 : 0);
    at[0] = (uint8_t)value;
    if (width > 1) at[1] = (uint8_t)(value >> 8);
  }
}

static void test_split(swzip_float_kind kind, int number) {
  used_areas = 0;
  const uint32_t count = (uint32_t)lengths_to_try(number);
  const unsigned width = swzip_float_width(kind), nine = swzip_float_width(kind) > 1 && swzip_float_shift(kind) == 0 && swzip_float_raw_bits(kind) < 8;
  uint8_t *const values = buffer(count * width, 1);
  random_values(kind, values, count, (int)below(shapes));
  const uint16_t base = nine ? (uint16_t)(below(3) ? 150 + below(16) : below(2) ? below(300) : 0) : 0;
  const size_t units = (count + SWZIP_UNIT - 1) / SWZIP_UNIT * SWZIP_UNIT, raw_bytes = swzip_raw_plane_bytes(kind, count);
  uint8_t *symbols[levels], *raw[levels], *low[levels][2];
  bool outside[levels];
  for (int level = 0; level < levels; level++) {
    if (!for_level(level)) continue;
    symbols[level] = buffer(units, 1);
    raw[level] = buffer(raw_bytes, 1);
    for (int i = 0; i < 2; i++) low[level][i] = width == 4 ? buffer(units, 1) : NULL;
    outside[level] = swzip_float_split(kind, values, count, base, symbols[level], raw[level], low[level][0], low[level][1]);
    if (!level) continue;
    check(outside[level] == outside[0], "split, outside", level, kind_names[kind], count);
    check(!memcmp(symbols[level], symbols[0], units), "split, symbols", level, kind_names[kind], count);
    check(!memcmp(raw[level], raw[0], raw_bytes), "split, raw plane", level, kind_names[kind], count);
    if (width == 4)
      check(!memcmp(low[level][0], low[0][0], units) && !memcmp(low[level][1], low[0][1], units), "split, low planes",
            level, kind_names[kind], count);
  }
}

static void test_block(swzip_float_kind kind, int number) {
  used_areas = 0;
  const unsigned width = swzip_float_width(kind), nine = swzip_float_width(kind) > 1 && swzip_float_shift(kind) == 0 && swzip_float_raw_bits(kind) < 8;
  const bool sorted = below(2), hostile = below(4) == 0, streaming = below(2);
  uint32_t count = number < 100 ? (uint32_t)number + 1 : below(3) ? 1 + below(most_values) : 256 * (1 + below(40)), rows = 0, row_length = 0;
  if (sorted) {
    row_length = 32 * (1 + below(12));
    rows = 8 + below(most_values / 2 / row_length);
    count = rows * row_length;
  }
  uint8_t *const values = buffer(count * width, 1);
  random_values(kind, values, count, (int)below(shapes));
  const uint16_t base = nine ? (uint16_t)(below(2) ? 150 : below(300)) : 0;
  const size_t units = (count + SWZIP_UNIT - 1) / SWZIP_UNIT * SWZIP_UNIT;
  uint8_t *const symbols = buffer(units + 31, 1), *const raw = buffer(swzip_raw_plane_bytes(kind, count), 1);
  uint8_t *const low[2] = {buffer(units, 1), buffer(units, 1)};
  for_level(0);
  swzip_float_split(kind, values, count, base, symbols, raw, low[0], low[1]);
  uint8_t *coded = symbols, *const row_groups = sorted ? buffer((rows + 3) / 4, 1) : NULL;
  if (sorted) {
    uint32_t *const sums = (void *)buffer(4 * rows, 4), *const natural = (void *)buffer(4 * rows, 4);
    coded = buffer(count + 31, 1);
    swzip_row_sums(symbols, rows, row_length, sums);
    swzip_rows_group(sums, rows, row_groups);
    swzip_rows_gather(symbols, rows, row_length, row_groups, coded, natural);
  }
  const swzip_geometry geometry = sorted ? swzip_geometry_sorted(rows, row_length) : swzip_geometry_unsorted(count);
  // patches: values outside the window, and a few that need none
  uint32_t *const positions = (void *)buffer(4 * (size_t)count, 4);
  uint32_t patch_count = swzip_float_outside(kind, values, count, base, positions, count);
  if (!patch_count && below(2))
    for (uint32_t at = below(300); at < count; at += 1 + below(2000)) positions[patch_count++] = at;
  uint8_t *const patches = buffer(6 * (size_t)patch_count, 1);
  for (uint32_t p = 0; p < patch_count; p++) {
    const uint16_t fields[3] = {(uint16_t)(positions[p] / SWZIP_UNIT), positions[p] % SWZIP_UNIT,
                                swzip_float_coded_part(kind, values, positions[p])};
    memcpy(patches + 6 * p, fields, 6);
  }
  swzip_float_block block = {
      .kind = kind, .count = count, .window_base = base, .row_length = row_length, .row_groups = row_groups,
      .raw_plane = raw, .low_plane = {low[0], low[1]}, .patches = patches, .patch_count = patch_count};
  // a table of its own for each group
  uint8_t *const out_streams = buffer((size_t)count * 11 / 8 + 64, 1);
  static swzip_decode_table tables[levels][4];
  uint8_t *end = out_streams;
  uint32_t at = 0, none = 0;
  for (int g = 0; g < 4; g++) {
    uint32_t counts[256] = {0};
    uint8_t lengths[256];
    for (uint32_t i = at; i < at + geometry.values[g]; i++) counts[coded[i]]++;
    code_for(counts, below(6) == 0, lengths);
    for (int level = 0; level < levels; level++)
      if (for_level(level)) swzip_decode_table_build(lengths, swzip_float_shift(kind), &tables[level][g]);
    for_level(0);
    swzip_encode_table encode;
    swzip_encode_table_build(lengths, counts, &encode);
    uint32_t left = geometry.values[g];
    for (int k = 0; k < SWZIP_GROUP_STREAMS; k++) {
      const uint32_t mine = left < geometry.stream[g] ? left : geometry.stream[g];
      block.stream_offset[8 * g + k] = (uint32_t)(end - out_streams);
      end = swzip_huffman_encode(coded + at, mine, &encode, end, at, NULL, 0, &none);
      at += mine;
      left -= mine;
    }
  }
  const uint32_t coded_bytes = block.stream_offset[SWZIP_STREAMS] = (uint32_t)(end - out_streams);
  uint8_t *const streams = copy_of(out_streams, coded_bytes, SWZIP_INPUT_SLACK);
  block.streams = streams;
  block.frame_bytes = coded_bytes;
  if (hostile) {
    for (uint32_t i = 0; i < coded_bytes; i++) streams[i] = (uint8_t)next_random();
    if (sorted && below(3) == 0) row_groups[below((rows + 3) / 4)] ^= (uint8_t)(1 << below(8));
    if (below(2))
      for (int s = 1; s < SWZIP_STREAMS; s++)
        block.stream_offset[s] = block.stream_offset[s - 1] + below(coded_bytes - block.stream_offset[s - 1] + 1) / 8;
  }
  uint8_t *const scratch = buffer((swzip_float_scratch_bytes(count) + 63) / 64 * 64, 64);
  uint8_t *out[levels];
  uint64_t hash[levels];
  bool good[levels];
  for (int level = 0; level < levels; level++) {
    if (!for_level(level)) continue;
    for (int g = 0; g < 4; g++) block.table[g] = &tables[level][g];
    out[level] = buffer(count * width, below(2) ? 1 : 64);
    hash[level] = 0;
    good[level] = swzip_float_decode(&block, out[level], scratch, streaming, hash + level);
    if (level) {
      check(good[level] == good[0], "block, row groups", level, kind_names[kind], count);
      check(!good[0] || !memcmp(out[level], out[0], count * width), hostile ? "hostile block" : "block", level, kind_names[kind], count);
      check(!good[0] || hash[level] == hash[0], "block, hash", level, kind_names[kind], count);
    } else if (!hostile) {
      check(good[0] && !memcmp(out[0], values, count * width), "block, round trip", level, kind_names[kind], count);
      check(hash[0] == swzip_xxh3_64(values, count * width, 0), "block, hash of values", level, kind_names[kind], count);
    }
  }
  // Symbols that have been decoded.
  uint8_t *const decoded = buffer(units, 1);
  for (uint32_t i = 0; i < count; i++) decoded[i] = (uint8_t)(coded[i] << swzip_float_shift(kind));
  block.symbols = decoded;
  bool first_good = true;
  for (int level = 0; level < levels; level++) {
    if (!for_level(level)) continue;
    uint8_t *const again = buffer(count * width, below(2) ? 1 : 64);
    const bool taken = swzip_float_decode(&block, again, scratch, streaming, hash + level);
    if (!level) first_good = taken;
    check(taken == first_good && (hostile || taken), "block of symbols, row groups", level, kind_names[kind], count);
    check(hostile || !memcmp(again, values, count * width), "block of symbols", level, kind_names[kind], count);
  }
}

static void test_fixed4(int number) {
  used_areas = 0;
  const uint32_t count = 1 + (uint32_t)lengths_to_try(number), padded = (count + 63) / 64 * 64;
  uint8_t *const values = buffer(2 * (size_t)count, 1);
  random_values(SWZIP_BF16_J0, values, count, (int)below(shapes));
  const uint8_t first = (uint8_t)(below(2) ? 100 + below(20) : below(242) + 1);
  uint8_t *codes[levels], *raw[levels], *escapes[levels], *out[levels];
  uint32_t escaped[levels];
  uint64_t hash[levels];
  uint8_t codebook[16];
  for (int i = 0; i < 16; i++) codebook[i] = i ? (uint8_t)(first + i - 1) : 0;
  const bool hostile = below(4) == 0, streaming = below(2);
  const size_t raw_bytes = swzip_raw_plane_bytes(SWZIP_BF16_J0, count);
  for (int level = 0; level < levels; level++) {
    if (!for_level(level)) continue;
    codes[level] = buffer(padded / 2, 1);
    raw[level] = buffer(raw_bytes, 1);
    escapes[level] = buffer(count + 32, 1);
    escaped[level] = swzip_fixed4_encode(values, count, first, codes[level], raw[level], escapes[level]);
    if (level)
      check(escaped[level] == escaped[0] && !memcmp(codes[level], codes[0], padded / 2) &&
                !memcmp(raw[level], raw[0], raw_bytes) && !memcmp(escapes[level], escapes[0], escaped[0]),
            "fixed4 encode", level, "values:", count);
  }
  if (hostile) for (uint32_t i = 0; i < padded / 2; i++) codes[0][i] = (uint8_t)next_random();
  const uint32_t given = swzip_fixed4_escapes(codes[0], count);
  uint8_t *const list = buffer(given, 1);
  if (!hostile && given == escaped[0]) memcpy(list, escapes[0], given);
  for (int level = 0; level < levels; level++) {
    if (!for_level(level)) continue;
    out[level] = buffer(2 * (size_t)count, below(2) ? 1 : 64);
    check(swzip_fixed4_escapes(codes[0], count) == given, "fixed4 escapes", level, "values:", count);
    swzip_fixed4_decode(codes[0], codebook, raw[0], list, count, out[level], streaming, hash + level);
    if (level) check(hash[level] == hash[0] && !memcmp(out[level], out[0], 2 * (size_t)count), "fixed4 decode", level, "values:", count);
    else if (!hostile) check(!memcmp(out[0], values, 2 * (size_t)count), "fixed4 round trip", level, "values:", count);
  }
}

// ---------------------------------------------------------------- bytes

static void test_bytes(int number) {
  used_areas = 0;
  const size_t count = lengths_to_try(number);
  uint8_t *const bytes = buffer(count, 1);
  const int shape = number % shapes;
  for (size_t i = 0; i < count; i++) bytes[i] = random_symbol(shape);
  const uint64_t seed = below(2) ? next_random() : 0;
  const size_t step = 1 + below(6), cut = below((uint32_t)count + 1);
  uint64_t hash[levels], low[levels], high[levels];
  uint32_t counts[levels][256], expected[256];
  for (int s = 0; s < 256; s++) expected[s] = (uint32_t)s;
  for (size_t i = 0; i < count; i++)
    if (i / 32 % step == 0) expected[bytes[i]]++;
  for (int level = 0; level < levels; level++) {
    if (!for_level(level)) continue;
    hash[level] = swzip_xxh3_64(bytes, count, seed);
    _Alignas(64) uint8_t stream[SWZIP_XXH3_STATE_BYTES];
    swzip_xxh3_128_begin(stream);
    swzip_xxh3_128_add(stream, bytes, cut);
    swzip_xxh3_128_add(stream, bytes + cut, count - cut);
    swzip_xxh3_128_end(stream, low + level, high + level);
    for (int s = 0; s < 256; s++) counts[level][s] = (uint32_t)s;
    swzip_histogram_add(bytes, count, step, counts[level]);
    check(!memcmp(counts[level], expected, sizeof expected), "histogram", level, "bytes:", count);
    if (level) check(hash[level] == hash[0] && low[level] == low[0] && high[level] == high[0], "hash", level, "bytes:", count);
  }
  const uint32_t row_length = 32 * (1 + below(20)), rows = below(9);
  uint8_t *const symbols = buffer((size_t)rows * row_length, 1);
  for (uint32_t i = 0; i < rows * row_length; i++) symbols[i] = (uint8_t)next_random();
  uint32_t *sums[levels];
  for (int level = 0; level < levels; level++) {
    if (!for_level(level)) continue;
    sums[level] = (void *)buffer(4 * rows, 4);
    swzip_row_sums(symbols, rows, row_length, sums[level]);
    if (level) check(!memcmp(sums[level], sums[0], 4 * rows), "row sums", level, "row length", row_length);
  }
  const unsigned widths[] = {1, 2, 4, 8}, width = widths[number & 3];
  const uint32_t values = (uint32_t)(count / width);
  uint8_t *planes[8], *const merged = buffer(values * width, 1);
  for (unsigned k = 0; k < width; k++) planes[k] = buffer(values, 1);
  for (int level = 0; level < levels; level++) {
    if (!for_level(level)) continue;
    int same = 1;
    swzip_planes_split(bytes, values, width, planes);
    for (unsigned k = 0; k < width; k++)
      for (uint32_t i = 0; i < values; i++) same &= planes[k][i] == bytes[i * width + k];
    check(same, "planes split", level, "values:", values);
    swzip_planes_merge((const uint8_t *const *)planes, values, width, merged);
    check(!memcmp(merged, bytes, values * width), "planes merge", level, "values:", values);
    if (width == 1) continue;
    swzip_bytes_swap(bytes, values * width, width, merged);
    for (uint32_t i = 0; i < values * width; i++) same &= merged[i] == bytes[(i / width + 1) * width - 1 - i % width];
    check(same, "bytes swap", level, "values:", values);
    swzip_bytes_swap(merged, values * width, width, merged);
    check(!memcmp(merged, bytes, values * width), "bytes swap in place", level, "values:", values);
  }
}

// Long histograms: counters of few bits must not run over.
static void test_long_histogram(int number) {
  used_areas = 0;
  const size_t count = 100000 + below(100000);
  uint8_t *const bytes = buffer(count, 1);
  for (size_t i = 0; i < count; i++) bytes[i] = number < 4 ? (uint8_t)(number * 60) : random_symbol((int)(number + (i > count / 2 ? 2 : 0)) % shapes);
  const size_t step = 1 + below(5);
  uint32_t expected[256] = {0};
  for (size_t i = 0; i < count; i++)
    if (i / 32 % step == 0) expected[bytes[i]]++;
  for (int level = 0; level < levels; level++) {
    if (!for_level(level)) continue;
    uint32_t counts[256] = {0};
    swzip_histogram_add(bytes, count, step, counts);
    check(!memcmp(counts, expected, sizeof expected), "long histogram", level, "number", (unsigned long)number);
  }
}

// ---------------------------------------------------------------- rANS

// Frequencies of a table: by levels that fit the counts, by any levels, or any whole numbers whose sum is 4096.
static void random_frequencies(const uint32_t counts[256], uint16_t frequencies[256]) {
  uint8_t levels_of[256];
  const uint32_t way = below(4), few = below(2);
  for (int s = 0; s < 256; s++) {
    const uint8_t any = (uint8_t)(few && below(20) ? 0 : below(SWZIP_RANS_LEVELS));
    levels_of[s] = way < 2 ? any : 0;
    if (counts[s] && !levels_of[s])
      levels_of[s] = (uint8_t)(way < 2 ? 1 : 1 + 5 * (31 - (uint32_t)__builtin_clz(counts[s])) % (SWZIP_RANS_LEVELS - 1));
  }
  const bool good = swzip_rans_frequencies(levels_of, frequencies);
  if (!good) {
    int second = 0;
    while (levels_of[second]) second++;
    levels_of[second] = 1;
    int third = second + 1;
    while (levels_of[third]) third++;
    if (!counts[0] && second == 0) levels_of[third] = 63;
    if (!swzip_rans_frequencies(levels_of, frequencies)) puts("FAILED: frequencies"), exit(2);
  }
  uint32_t sum = 0;
  for (int s = 0; s < 256; s++) {
    sum += frequencies[s];
    if (!frequencies[s] != !levels_of[s]) sum = 1 << 20;
  }
  check(sum == SWZIP_RANS_SLOTS, "rans frequencies", 0, "sum", sum);
  if (way != 3) return;
  // Move slots about; whoever has one keeps one.
  for (int i = 0; i < 300; i++) {
    const uint32_t from = below(256), to = below(256);
    const uint32_t moved = frequencies[from] > 1 ? below(frequencies[from]) : 0;
    frequencies[from] = (uint16_t)(frequencies[from] - moved);
    frequencies[to] = (uint16_t)(frequencies[to] + moved);
  }
}

// Streams that the encoder made (decoded, they must give the symbols) and noise in words, states and table numbers.
static void test_rans(int number) {
  enum { most_tables = 6 };
  used_areas = 0;
  const size_t count = number < 650 ? lengths_to_try(number) : below(most_values), units = (count + 63) / 64 * 64;
  const uint32_t table_count = 1 + below(most_tables);
  const bool numbered = table_count > 1 || below(2);
  uint8_t *const symbols = buffer(count, 1), *const numbers = numbered ? buffer(units, 1) : NULL;
  uint32_t counts[most_tables][256] = {{0}};
  for (size_t i = 0; i < count; i++) {
    const uint32_t t = numbered ? below(table_count) : 0;
    if (numbered) numbers[i] = (uint8_t)t;
    counts[t][symbols[i] = random_symbol((number + (int)t) % shapes)]++;
  }
  const unsigned shift = below(4);
  swzip_rans_table *const tables = (void *)buffer(table_count * sizeof *tables, _Alignof(swzip_rans_table));
  swzip_rans_encode_table *const encode = (void *)buffer(table_count * sizeof *encode, _Alignof(swzip_rans_encode_table));
  for (uint32_t t = 0; t < table_count; t++) {
    uint16_t frequencies[256];
    random_frequencies(counts[t], frequencies);
    swzip_rans_encode_table_build(frequencies, encode + t);
    swzip_rans_table_build(frequencies, shift, tables + t);
  }
  uint32_t *states = NULL;
  uint16_t *room = NULL;
  size_t word_count = 0;
  for (int level = 0; level < levels; level++) {
    if (!for_level(level)) continue;
    uint32_t *const mine = (void *)buffer(SWZIP_RANS_STATE_BYTES, 4);
    uint16_t *const words = (uint16_t *)(void *)buffer(2 * count + 2, 2) + 1;  // one word more than is ever kept
    swzip_rans_states_begin(mine);
    const size_t written = swzip_rans_encode(symbols, count, numbers, encode, mine, words + count);
    if (level == 0) (states = mine, room = words, word_count = written);
    check(written == word_count && !memcmp(mine, states, SWZIP_RANS_STATE_BYTES) &&
              !memcmp(words + count - written, room + count - written, 2 * written),
          "rans, encoded", level, "values:", count);
  }
  uint8_t *const words = copy_of(room + count - word_count, 2 * word_count, SWZIP_RANS_SLACK);
  uint8_t *const starts = copy_of(states, SWZIP_RANS_STATE_BYTES, 0);
  size_t given = word_count;
  const uint32_t hostile = below(4) ? 0 : 1 + below(5);
  switch (hostile) {
    case 0: break;
    case 1: given = below((uint32_t)word_count + 1); break;
    case 2: for (size_t i = 0; i < 2 * word_count; i++) words[i] = (uint8_t)next_random(); break;
    case 3: for (int i = 0; i < SWZIP_RANS_STATE_BYTES; i++) starts[i] = (uint8_t)next_random(); break;
    case 4: memset(starts, below(2) ? 0 : 0xFF, SWZIP_RANS_STATE_BYTES); break;
    default:
      for (size_t i = 0; numbered && i < count; i++) numbers[i] = (uint8_t)below(table_count);
      starts[below(SWZIP_RANS_STATE_BYTES)] ^= (uint8_t)(1 << below(8));
      break;
  }
  uint8_t *out[levels];
  bool good[levels];
  for (int level = 0; level < levels; level++) {
    if (!for_level(level)) continue;
    out[level] = buffer(units, 1);
    good[level] = swzip_rans_decode(words, given, starts, count, numbers, tables, out[level]);
    if (level) {
      check(good[level] == good[0], "rans, verdict", level, hostile ? "hostile values:" : "values:", count);
      check(!good[0] || !memcmp(out[level], out[0], count), "rans", level, "values:", count);
    } else if (!hostile) {
      int same = good[0];
      for (size_t i = 0; i < count; i++) same &= out[0][i] == (uint8_t)(symbols[i] << shift);
      check(same, "rans round trip", level, "values:", count);
    } else if (hostile == 1 && given < word_count) {
      check(!good[0], "rans, words missing", level, "values:", count);
    }
  }
}

static void test_rans_numbers(int number) {
  used_areas = 0;
  const size_t row_length = number % 4 ? 1 + below(300) : 1 + (size_t)number, rows = below(1 + 60000 / (uint32_t)row_length);
  const bool by_column = below(3) != 0;
  uint8_t *const classes = buffer(rows, 1), *const map = buffer(32, 1);
  uint8_t *const columns = by_column ? buffer(row_length, 1) : NULL;
  for (size_t i = 0; i < rows; i++) classes[i] &= 15;
  for (size_t j = 0; by_column && j < row_length; j++) columns[j] = (uint8_t)below(16);
  for (int level = 0; level < levels; level++) {
    if (!for_level(level)) continue;
    uint8_t *const numbers = buffer(rows * row_length, 1);
    swzip_rans_numbers(classes, rows, columns, row_length, map, numbers);
    int same = 1;
    for (size_t i = 0; i < rows; i++)
      for (size_t j = 0; j < row_length; j++)
        same &= numbers[i * row_length + j] == map[classes[i] + (by_column ? columns[j] : 0)];
    check(same, "rans numbers", level, "row length", row_length);
  }
}

// ---------------------------------------------------------------- sparse, palettes

// Differences of values to bases near them, equal to them and anything at all; then low bits that are noise, cut or longer.
static void test_delta(int number) {
  static const swzip_delta_kind kinds_of_delta[] = {
      {1, false, 0, 0}, {2, false, 0, 0}, {4, false, 0, 0}, {8, false, 0, 0},
      {1, true, 3, 15}, {2, true, 7, 255}, {2, true, 10, 31}, {4, true, 23, 255}, {8, true, 55, 255}};
  used_areas = 0;
  const swzip_delta_kind *const kind = kinds_of_delta + number % 9;
  const unsigned width = kind->width;
  const size_t count = number < 650 ? lengths_to_try(number) : below(most_values / 2), bytes = count * width;
  uint8_t *const values = buffer(bytes, 1), *const base = buffer(bytes, 1);
  for (size_t i = 0; i < bytes; i++) base[i] = (uint8_t)next_random();
  memcpy(values, base, bytes);
  const uint32_t shape = below(5), rarely = 1 + below(40);
  for (size_t i = 0; i < count; i++) {
    if (shape == 0 || below(rarely)) continue;
    uint64_t value = 0;
    memcpy(&value, base + i * width, width);
    const uint64_t change = next_random() >> below(64);
    value = shape == 1 ? value + (change & 7) - 4 : shape == 2 ? value - change : shape == 3 ? value ^ change : change;
    if (shape == 4 && below(4) == 0) value = (uint64_t)1 << (8 * width - 1);
    memcpy(values + i * width, &value, width);
  }
  const unsigned top = below(256), contexts = 1 + below(32);
  uint8_t *const map = buffer(32, 1);
  for (int i = 0; i < 32; i++) map[i] = (uint8_t)below(256);
  uint8_t *symbols[levels], *numbers[levels], *low[levels], *out[levels];
  size_t length[levels];
  for (int level = 0; level < levels; level++) {
    if (!for_level(level)) continue;
    symbols[level] = buffer(count, 1);
    numbers[level] = buffer(count, 1);
    low[level] = buffer(bytes + 8, 1);
    swzip_delta_symbols(kind, values, base, count, symbols[level]);
    swzip_delta_numbers(kind, base, count, top, contexts, map, numbers[level]);
    length[level] = swzip_delta_low_bits(kind, values, base, symbols[level], count, low[level]);
    check(!memcmp(symbols[level], symbols[0], count), "delta symbols", level, "values:", count);
    check(!memcmp(numbers[level], numbers[0], count), "delta numbers", level, "values:", count);
    check(length[level] == length[0] && !memcmp(low[level], low[0], length[0]), "delta low bits", level, "values:", count);
  }
  uint8_t *const given = copy_of(low[0], length[0] + 8 <= bytes + 8 ? length[0] : 0, 64);
  for (int hostile = 0; hostile < 4; hostile++) {
    size_t given_length = length[0];
    if (hostile == 1) given_length = below((uint32_t)given_length + 1);
    if (hostile == 2) given_length += 1 + below(32);
    if (hostile == 3) for (size_t i = 0; i < given_length; i++) given[i] = (uint8_t)next_random();
    const size_t expected = given_length < length[0] ? given_length + 1 : length[0];
    for (int level = 0; level < levels; level++) {
      if (!for_level(level)) continue;
      if (!hostile) out[level] = buffer(bytes, 1);
      const size_t used = swzip_delta_apply(kind, symbols[0], given, given_length, base, count, out[level]);
      check(used == expected, "delta apply, length", level, "values:", count);
      if (used <= given_length) check(!memcmp(out[level], hostile ? out[0] : values, bytes), "delta apply", level, "values:", count);
    }
  }
}

// Quiet values: what is gathered and told by gaps, by the definition, and put back; then gaps that are noise.
static void test_quiet(int number) {
  used_areas = 0;
  const size_t count = number < 650 ? lengths_to_try(number) : below(most_values), words = (count + 63) / 64;
  uint8_t *const symbols = buffer(count, 1), *const numbers = copy_of(symbols, count, 64);
  const uint32_t loud = below(4), rarely = 1 + below(200);
  for (size_t i = 0; i < count; i++) {
    numbers[i] = (uint8_t)(loud == 0 || below(loud == 1 ? 2 : 20) ? 0 : 2 + below(30));
    symbols[i] = (uint8_t)(below(numbers[i] ? 3 : rarely) ? 0 : 1 + below(255));
  }
  uint8_t *const gaps = buffer(count, 1), *const changes = buffer(count, 1), *const low = buffer(2 * count + 8, 1);
  size_t low_bytes = 0, expected = 0;
  const size_t changed = swzip_delta_changes(symbols, numbers, count, count, gaps, changes, low, &low_bytes);
  for (size_t i = 0; i < count; i++)
    if (!numbers[i] && symbols[i]) {
      check(expected < changed && changes[expected] == symbols[i], "quiet changes", 0, "values:", count);
      expected++;
    }
  check(changed == expected, "number of quiet changes", 0, "values:", count);
  if (changed) check(swzip_delta_changes(symbols, numbers, count, changed - 1, gaps, changes, low, &low_bytes) == changed,
                     "too many quiet changes", 0, "values:", count);
  swzip_delta_changes(symbols, numbers, count, count, gaps, changes, low, &low_bytes);
  uint8_t *const given = copy_of(low, low_bytes, 64);
  for (int level = 0; level < levels; level++) {
    if (!for_level(level)) continue;
    uint8_t *const mask = buffer(8 * words, 1), *const dense = buffer(count + 64, 1), *const gathered = buffer(count + 64, 1);
    const size_t found = swzip_delta_dense(numbers, count, mask, dense);
    swzip_delta_gather(symbols, mask, count, gathered);
    size_t at = 0;
    int same = 1;
    for (size_t i = 0; i < 64 * words; i++) {
      const int is_dense = i < count && numbers[i] != 0;
      same &= (mask[i / 8] >> i % 8 & 1) == is_dense;
      if (is_dense && at < found) {
        same &= dense[at] == numbers[i] && gathered[at] == symbols[i];
        at++;
      }
    }
    check(same && at == found, "dense values", level, "values:", count);
    uint8_t *const back = buffer(count, 1), *const slack = copy_of(gathered, found, 64);
    swzip_sparse_expand(mask, (uint32_t)count, 1, slack, back);
    size_t used = low_bytes;
    const bool good = swzip_delta_scatter(gaps, changes, changed, given, &used, mask, count, back);
    check(good && used == low_bytes && !memcmp(back, symbols, count), "quiet round trip", level, "values:", count);
    for (int hostile = 0; hostile < 3 && changed; hostile++) {
      uint8_t *const wrong = copy_of(gaps, changed, 1);
      wrong[below((uint32_t)changed)] = (uint8_t)next_random();
      size_t fewer = hostile == 1 ? below((uint32_t)low_bytes + 1) : low_bytes;
      swzip_delta_scatter(wrong, changes, changed, given, &fewer, mask, count, back);
      check(fewer <= low_bytes, "low bits of hostile gaps", level, "values:", count);
    }
  }
}

// One value by the definition, each operation in 64 bits.
#pragma STDC FP_CONTRACT OFF
static uint32_t predicted(const swzip_prediction *p, const float *r, const uint32_t *bits) {
  float result;
  if (p->kind == SWZIP_PREDICT_SCALED) {
    result = (float)(p->scale * (double)r[0]);
  } else {
    const double h = ((double)r[0] - p->beta1 * (double)r[1]) * (1 / (1 - p->beta1));
    const double kept = (double)(float)((double)(float)p->beta2 * (double)r[2]);
    result = (float)(kept + ((1 - p->beta2) * h) * h);
    if (p->kind == SWZIP_PREDICT_WEIGHT) {
      const double root = (double)(float)__builtin_elementwise_sqrt((double)result);
      const double by = (double)(float)(root + (double)p->epsilon), moved = (double)(float)((double)p->step * (double)r[0]);
      const double decayed = (double)(float)((double)p->decay * (double)r[3]), change = (double)(float)(moved / by);
      result = (float)(decayed - change);
    }
  }
  uint32_t b;
  memcpy(&b, &result, 4);
  if ((b & 0x7FFFFFFF) > 0x7F800000) b = bits[p->kind == SWZIP_PREDICT_SCALED ? 0 : p->kind == SWZIP_PREDICT_WEIGHT ? 3 : 2];
  return p->is_bf16 ? (b + 0x7FFF + (b >> 16 & 1)) >> 16 & 0xFFFF : b;
}

// Predictions of usual values, of any bits at all and of corners; in environments that flush, or round otherwise.
static void test_predict(int number) {
  used_areas = 0;
  static const uint32_t corners[] = {0, 0x80000000, 1, 0x80000001, 0x7FFFFF, 0x800000, 0x7F7FFFFF, 0xFF7FFFFF, 0x7F800000,
                                     0xFF800000, 0x7FC00000, 0xFFC12345, 0x7F812345, 0x3F800000, 0x00400000, 0x5F000000};
  static const double betas[] = {0.9, 0.95, 0.999, 0, 1, 0.5, -3, 1e300};
  static const float steps[] = {1e-3f, 0.9999f, 1e-8f, 0, 1, -1, 1e-38f, 1e-44f};
  const size_t count = number < 650 ? lengths_to_try(number) : below(most_values / 4);
  swzip_prediction p = {.kind = (swzip_prediction_kind)(1 + number % 3)};
  p.is_bf16 = p.kind == SWZIP_PREDICT_WEIGHT && below(2);
  const bool usual = below(3) != 0;
  p.scale = usual ? 0.99 : betas[below(8)];
  p.beta1 = usual ? 0.9 : betas[below(8)];
  p.beta2 = usual ? 0.999 : betas[below(8)];
  p.decay = usual ? 0.9999f : steps[below(8)];
  p.step = usual ? 1e-3f : steps[below(8)];
  p.epsilon = usual ? 1e-8f : steps[below(8)];
  const uint32_t shape = below(4);
  uint8_t *references[4];
  for (int k = 0; k < 4; k++) {
    references[k] = buffer(4 * count, 1);
    for (size_t i = 0; i < count; i++) {
      const uint32_t any = (uint32_t)next_random();
      const uint32_t near = (any & 0x807FFFFF) | (100 + any % 25) << 23;
      const uint32_t bits = shape == 0 || below(50) == 0 ? corners[below(16)] : shape == 1 ? any : near;
      memcpy(references[k] + 4 * i, &bits, 4);
    }
  }
  const void *const given[4] = {references[0], references[1], references[2], references[3]};
  const size_t width = p.is_bf16 ? 2 : 4;
  for (int level = 0; level < levels; level++) {
    if (!for_level(level)) continue;
    uint8_t *const out = buffer(width * count, 1);
#if defined(__x86_64__)
    const unsigned had = __builtin_ia32_stmxcsr(), other = had | (below(2) ? 0x8040 : 0) | below(4) << 13;
    __builtin_ia32_ldmxcsr(other);
    swzip_predict(&p, given, count, out);
    const unsigned after = __builtin_ia32_stmxcsr();
    __builtin_ia32_ldmxcsr(had);
    check(after == other, "the floating-point environment", level, "values:", count);
#else
    swzip_predict(&p, given, count, out);
#endif
    int same = 1;
    for (size_t i = 0; i < count; i++) {
      float r[4];
      uint32_t bits[4], found = 0;
      for (int k = 0; k < 4; k++) {
        memcpy(r + k, references[k] + 4 * i, 4);
        memcpy(bits + k, references[k] + 4 * i, 4);
      }
      memcpy(&found, out + width * i, width);
      same &= found == predicted(&p, r, bits);
    }
    check(same, "prediction", level, "values:", count);
  }
}

// Cuts of `total` into at most 40 parts; returns how many.
static uint32_t cut(uint32_t total, uint32_t *ends) {
  uint32_t count = 0, end = 0;
  const uint32_t step = 1 + below(below(2) ? total : 40);
  while (end < total && count < 39) {
    const uint32_t part = below(3) ? step : 1 + below(step);
    ends[count++] = end = part < total - end ? end + part : total;
  }
  if (end < total) ends[count++] = total;
  return count;
}

// A float that is finite: of any exponent, or of usual ones.
static float finite_float(int usual) {
  uint32_t bits = (uint32_t)next_random();
  bits = usual ? (bits & 0x807FFFFF) | (110 + bits % 20) << 23 : bits & 0xFF7FFFFF;
  float value;
  memcpy(&value, &bits, 4);
  return value;
}

// Codes times scales by a definition of its own, and back; in environments that flush, or round otherwise.
static void test_lattice(int number) {
  used_areas = 0;
  const uint32_t count = 1 + (uint32_t)lengths_to_try(number), width = number % 3 == 2 ? 4 : 2;
  const uint32_t row = 1 + below(below(2) ? count : 2 * count), first = below(3 * row), usual = below(3) != 0;
  const uint32_t rows = (first + count + row - 1) / row, model = below(3);
  static uint32_t columns[40], bands[40];
  swzip_lattice lattice = {.type = (swzip_lattice_type)(number % 3), .row_length = row, .column_end = columns, .band_end = bands};
  lattice.column_count = cut(row, columns);
  lattice.band_count = cut(rows, bands);
  const uint32_t groups = lattice.column_count * lattice.band_count;
  float *const scale = (float *)(void *)buffer(4 * groups, 4), *const offset = (float *)(void *)buffer(4 * groups, 4);
  for (uint32_t i = 0; i < groups; i++) scale[i] = finite_float((int)usual), offset[i] = finite_float((int)usual);
  lattice.scale = scale;
  lattice.offset = model == 1 ? offset : NULL;
  lattice.constant = model == 2 ? finite_float(1) : 0;
  swzip_lattice_book book = {.count = 2 + below(255), .per_symbol = 1};
  for (uint32_t most = book.count; most * book.count <= 256 && book.per_symbol < 8 && below(4); most *= book.count) book.per_symbol++;
  for (uint32_t i = 0; i < book.count; i++) book.code[i] = below(8) ? (float)(int32_t)(i - book.count / 2) : finite_float((int)usual);
  uint32_t symbols_there = 1;
  for (uint32_t i = 0; i < book.per_symbol; i++) symbols_there *= book.count;
  const uint32_t symbol_count = (count + book.per_symbol - 1) / book.per_symbol;
  uint8_t *const symbols = buffer(symbol_count, 1), *const expected = buffer(4 * count, 4);
  for (uint32_t i = 0; i < symbol_count; i++) symbols[i] = (uint8_t)below(symbols_there);
  float *const entries = (float *)(void *)buffer(4 * SWZIP_LATTICE_ENTRIES, 4);
  swzip_lattice_entries(&book, entries);
  for (uint32_t i = 0; i < count; i++) {
    uint32_t digit = symbols[i / book.per_symbol], band = 0, column = 0;
    for (uint32_t k = 0; k < i % book.per_symbol; k++) digit /= book.count;
    while (bands[band] <= (first + i) / row) band++;
    while (columns[column] <= (first + i) % row) column++;
    const uint32_t group = band * lattice.column_count + column;
    // Of two floats the exact product, and the sum rounded twice, are those rounded once.
    float value = (float)((double)book.code[digit % book.count] * (double)scale[group]);
    if (model == 1) value = (float)((double)value - (double)offset[group]);
    if (model == 2) value = (float)((double)value * (double)lattice.constant);
    memcpy(expected + 4 * i, &value, 4);
  }
  uint8_t *const right = buffer(4 * count, 4);
  memcpy(right, expected, 4 * count);
  if (lattice.type != SWZIP_LATTICE_F32)
    swzip_cast(lattice.type == SWZIP_LATTICE_BF16 ? SWZIP_CAST_F32_TO_BF16 : SWZIP_CAST_F32_TO_F16, expected, count, NULL, NULL, right);
  swzip_lattice_search *const search = (swzip_lattice_search *)(void *)buffer(sizeof *search, 64);
  swzip_lattice_search_make(&book, search);
  uint8_t *const room = buffer(swzip_lattice_room(&lattice, count), 64), *const digits = buffer(count, 1);
  uint32_t *const missing = (uint32_t *)(void *)buffer(4 * (size_t)count, 4);
  for (int level = 0; level < levels; level++) {
    if (!for_level(level)) continue;
    uint8_t *const out = buffer((size_t)width * count, 1);
#if defined(__x86_64__)
    const unsigned had = __builtin_ia32_stmxcsr(), other = had | (below(2) ? 0x8040 : 0) | below(4) << 13;
    __builtin_ia32_ldmxcsr(other);
#endif
    swzip_lattice_values(&lattice, entries, book.per_symbol, symbols, first, count, out, room);
    const uint32_t misses = swzip_lattice_digits(&lattice, search, right, first, count, digits, room, missing, count);
#if defined(__x86_64__)
    const unsigned after = __builtin_ia32_stmxcsr();
    __builtin_ia32_ldmxcsr(had);
    check(after == other, "the floating-point environment", level, "values:", count);
#endif
    check(!memcmp(out, right, (size_t)width * count), "lattice", level, "values:", count);
    // What the digits say, but for the values that are reported, are the values.
    uint32_t joined = swzip_lattice_join(digits, count, &book);
    check(joined == symbol_count, "lattice, symbols", level, "values:", count);
    swzip_lattice_values(&lattice, entries, book.per_symbol, digits, first, count, out, room);
    for (uint32_t i = 0; i < misses; i++) memcpy(out + (size_t)width * missing[i], right + (size_t)width * missing[i], width);
    check(!memcmp(out, right, (size_t)width * count), "lattice, digits", level, "values:", count);
  }
}

// Blocks of quants from values of all kinds, by any differences; what is not computed; in any environment.
static void test_replay(int number) {
  used_areas = 0;
  static const unsigned types[] = {2, 3, 6, 7, 8, 10, 11, 12, 13, 14, 20, 34, 35};
  static const uint32_t corners[] = {0, 0x80000000, 1, 0x80000001, 0x7F7FFFFF, 0xFF7FFFFF, 0x7F800000, 0xFF800000,
                                     0x7FC00000, 0xFFC12345, 0x7F812345, 0x3F800000, 0xBF800000, 0x00400000};
  const swzip_replay replay = {types[number % 13], (swzip_replay_source)(number / 13 % 3)};
  const swzip_replay_shape shape = swzip_replay_shape_of(replay.type);
  const size_t count = 1 + below(shape.elements == 32 ? 24 : 4), width = replay.source == SWZIP_REPLAY_F32 ? 4 : 2;
  const size_t elements = count * shape.elements, grouped = count * shape.groups, most = below(3) ? elements : below(9);
  const uint32_t kind = below(4);
  uint8_t *const x = buffer(width * elements, 1);
  for (size_t i = 0; i < elements; i++) {
    const uint32_t any = (uint32_t)next_random(), near = (any & 0x807FFFFF) | (116 + any % 6) << 23;
    const uint32_t half = (any & 0x83FF) | (8 + any % 5) << 10;
    uint32_t bits = kind == 0 || (kind < 3 && below(50) == 0) ? corners[below(14)] : kind == 1 ? any : near;
    if (replay.source == SWZIP_REPLAY_F16) bits = kind == 3 ? half : bits >> 16;
    if (replay.source == SWZIP_REPLAY_BF16) bits >>= 16;
    memcpy(x + width * i, &bits, width);
  }
  int16_t *const scale = (int16_t *)(void *)buffer(4 * count, 2);
  uint8_t *const groups = buffer(2 * grouped + 2, 1), *const changes = buffer(elements, 1);
  uint32_t *const places = (uint32_t *)(void *)buffer(4 * elements, 4);
  swzip_replay_block block = {count, scale, scale + count, groups, groups + grouped, 0, places, changes};
  const uint32_t rare = below(2) ? 1 : 8;  // differences: one in so many
  for (size_t i = 0; i < 2 * count; i++) scale[i] = below(rare) ? 0 : (int16_t)(below(2) ? below(9) : next_random());
  for (size_t i = 0; i < 2 * grouped; i++) groups[i] = (uint8_t)(below(rare) ? 0 : next_random());
  for (size_t i = 0; i < elements; i++) {
    if (below(64)) continue;
    places[block.changed] = (uint32_t)i;
    changes[block.changed++] = (uint8_t)next_random();
  }
  uint8_t *first = NULL, *const symbols = buffer(2 * count + 2 * grouped + 2 * elements, 1);
  uint8_t *const low = buffer(4 * count + 3 * elements + 8, 1);
  size_t found_first = 0;
  for (int level = 0; level < levels; level++) {
    if (!for_level(level)) continue;
    uint8_t *const out = buffer(shape.bytes * count, 1);
#if defined(__x86_64__)
    const unsigned had = __builtin_ia32_stmxcsr(), other = had | (below(2) ? 0x8040 : 0) | below(4) << 13;
    __builtin_ia32_ldmxcsr(other);
#endif
    swzip_replay_decode(&replay, &block, x, out);
    if (!first) first = out;
    const int before = used_areas;
    check(!memcmp(out, first, shape.bytes * count), "replayed blocks", level, "type:", replay.type);
    // And back: other differences may mean the same.
    int16_t *const scale_found = (int16_t *)(void *)buffer(4 * count, 2);
    uint8_t *const groups_found = buffer(2 * grouped + 2, 1);
    swzip_replay_block back = {count, scale_found, scale_found + count, groups_found, groups_found + grouped, 0,
                               (uint32_t *)(void *)buffer(4 * most, 4), buffer(most, 1)};
    const size_t found = swzip_replay_encode(&replay, &back, x, first, most);
#if defined(__x86_64__)
    const unsigned after = __builtin_ia32_stmxcsr();
    __builtin_ia32_ldmxcsr(had);
    check(after == other, "the floating-point environment", level, "type:", replay.type);
#endif
    if (level == 0) found_first = found;
    check(found == found_first, "changed codes", level, "type:", replay.type);
    if (found <= most) {
      back.changed = found;
      const size_t low_bytes = swzip_replay_write(&replay, &back, symbols, low);
      size_t used = low_bytes;
      uint8_t *const given = copy_of(low, low_bytes, 64);
      swzip_replay_block read = back;
      read.scale = (int16_t *)(void *)buffer(4 * count, 2);
      read.minimum = read.scale + count;
      read.places = (uint32_t *)(void *)buffer(4 * found, 4);
      const int good = swzip_replay_read(&replay, symbols, given, &used, &read);
      check(good && used == low_bytes, "symbols of replayed blocks", level, "type:", replay.type);
      uint8_t *const again = buffer(shape.bytes * count, 1);
      if (good) swzip_replay_decode(&replay, &read, x, again);
      check(good && !memcmp(again, first, shape.bytes * count), "replayed again", level, "type:", replay.type);
      // Any symbols: places within the block, or none.
      for (size_t i = 0; i < 2 * count + 2 * grouped + 2 * found; i++)
        if (!below(4)) symbols[i] = (uint8_t)next_random();
      used = low_bytes;
      if (swzip_replay_read(&replay, symbols, given, &used, &read)) {
        check(used <= low_bytes, "low bits of hostile symbols", level, "type:", replay.type);
        for (size_t i = 0; i < found; i++) check(read.places[i] < elements, "a place", level, "type:", replay.type);
      }
    }
    used_areas = before;
  }
}

static void test_sparse(int number) {
  used_areas = 0;
  const unsigned width = 1u << number % 3;
  const uint32_t count = number < 650 ? (uint32_t)lengths_to_try(number) : below(most_values), mask_bytes = (count + 7) / 8;
  const uint32_t density = below(5);  // of zeros: none, few, half, most, all
  uint8_t *const values = buffer(count * width, 1);
  for (uint32_t i = 0; i < count; i++) {
    for (unsigned byte = 0; byte < width; byte++) values[i * width + byte] = (uint8_t)next_random();
    const uint32_t chance = below(100);
    if (density == 4 || chance < (const uint32_t[]){0, 3, 50, 97}[density & 3]) memset(values + i * width, 0, width);
    // one byte that is not zero: the value is not either
    else if (below(3) == 0) {
      memset(values + i * width, 0, width);
      values[i * width + below(width)] = (uint8_t)(1u << below(8));
    }
  }
  // All bits tell a zero, or all but the sign.
  const uint32_t significant = below(2) ? UINT32_MAX : UINT32_MAX >> (33 - 8 * width);
  uint8_t *mask[levels], *kept[levels];
  uint32_t found[levels];
  for (int level = 0; level < levels; level++) {
    if (!for_level(level)) continue;
    mask[level] = buffer(mask_bytes, 1);
    kept[level] = buffer((count + 1) * width, 1);
    found[level] = swzip_sparse_compact(values, count, width, significant, mask[level], kept[level]);
    if (level) {
      check(found[level] == found[0] && !memcmp(mask[level], mask[0], mask_bytes) &&
                !memcmp(kept[level], kept[0], found[0] * width), "sparse compact", level, "values:", count);
    } else {
      uint32_t at = 0;
      int same = 1;
      for (uint32_t i = 0; i < count; i++) {
        uint32_t bits = 0;
        for (unsigned byte = 0; byte < width; byte++) bits |= (uint32_t)values[i * width + byte] << 8 * byte;
        bits &= significant;
        same &= (mask[0][i / 8] >> i % 8 & 1) == (bits != 0);
        if (bits) same &= !memcmp(kept[0] + width * at++, values + width * i, width);
      }
      for (uint32_t i = count; i < 8 * mask_bytes; i++) same &= !(mask[0][i / 8] >> i % 8 & 1);
      check(same && at == found[0], "sparse compact, definition", level, "values:", count);
    }
    bool clean = false;
    check(swzip_sparse_count(mask[level], count, &clean) == found[0] && clean, "sparse count", level, "values:", count);
    // Values and signs of zeros together are the values again.
    uint8_t *const signs = buffer((count - found[0]) / 8 + 1, 1), *const back = buffer(count * width, 1);
    const uint32_t negative = swzip_sparse_signs(values, count, width, mask[level], signs);
    swzip_sparse_expand(mask[level], count, width, copy_of(kept[level], (found[0] + !found[0]) * width, 64), back);
    if (negative) swzip_sparse_set_signs(back, count, width, mask[level], signs);
    check(!memcmp(back, values, count * width), "sparse signs", level, "values:", count);
  }
  // Any mask, values of which some are zero.
  uint8_t *const any = buffer(mask_bytes, 1);
  for (uint32_t i = 0; i < mask_bytes; i++) any[i] = (uint8_t)(below(2) ? next_random() : below(2) ? 0 : 255);
  bool clean = true, expected_clean = true;
  for (uint32_t i = count; i < 8 * mask_bytes; i++) expected_clean &= !(any[i / 8] >> i % 8 & 1);
  uint32_t ones = 0;
  for (uint32_t i = 0; i < count; i++) ones += any[i / 8] >> i % 8 & 1;
  uint32_t counted[levels];
  for (int level = 0; level < levels; level++) {
    if (!for_level(level)) continue;
    counted[level] = swzip_sparse_count(any, count, &clean);
    check(clean == expected_clean && (!clean || counted[level] == ones), "sparse count of any mask", level, "values:", count);
  }
  if (count % 8) any[mask_bytes - 1] &= (uint8_t)((1u << count % 8) - 1);
  uint8_t *const source = copy_of(values, ones * width, 64);
  for (int level = 0; level < levels; level++) {
    if (!for_level(level)) continue;
    uint8_t *const back = buffer(count * width, below(2) ? 1 : 64), *const out = buffer(count * width, 1);
    uint8_t *const kept_slack = copy_of(kept[0], found[0] * width, 64);
    swzip_sparse_expand(mask[0], count, width, kept_slack, back);
    if (significant == UINT32_MAX)
      check(!memcmp(back, values, count * width), "sparse round trip", level, "values:", count);
    swzip_sparse_expand(any, count, width, source, out);
    int same = 1;
    const uint8_t zero[4] = {0};
    for (uint32_t i = 0, at = 0; i < count; i++)
      same &= !memcmp(out + i * width, any[i / 8] >> i % 8 & 1 ? source + width * at++ : zero, width);
    check(same, "sparse expand", level, "values:", count);
  }
}

static void test_palette(int number) {
  used_areas = 0;
  const size_t entry = number < 64 ? (size_t)number + 1 : (size_t)1 << below(7), bytes = below(number % 5 ? 700 : 60000);
  const size_t count = (bytes + entry - 1) / entry;
  uint8_t *const symbols = buffer(count, 1), *const palette = buffer(256 * 64, 1);
  for (size_t i = 0; i < count; i++) symbols[i] = (uint8_t)next_random();
  for (size_t i = 0; i < 256 * 64; i++) palette[i] = (uint8_t)next_random();
  for (int level = 0; level < levels; level++) {
    if (!for_level(level)) continue;
    uint8_t *const out = buffer(bytes, below(2) ? 1 : 64);
    swzip_palette_expand(symbols, palette, entry, out, bytes);
    int same = 1;
    for (size_t i = 0; i < bytes; i++) same &= out[i] == palette[64 * symbols[i / entry] + i % entry];
    check(same, "palette", level, "bytes an entry:", entry);
  }
}

static void test_rooms(void) {
  for (uint32_t i = 0; i < 20000; i++) {
    const uint32_t count = i < 5000 ? i + 1 : 1 + below(1 << 18), rows = 8 + below(40), length = 32 * (1 + below((1 << 18) / 32 / rows));
    const swzip_geometry geometry[2] = {swzip_geometry_unsorted(count), swzip_geometry_sorted(rows, length)};
    const uint32_t counts[2] = {count, rows * length};
    int fits = 1;
    for (int k = 0; k < 8; k++)
      fits &= 2 * SWZIP_NODE_ROOM(geometry[k / 4].values[k % 4]) <= swzip_tile_bytes(counts[k / 4]);
    check(fits, "room for lists in a tile", 0, "values:", count);
  }
}

int main(int argc, char **argv) {
  if (argc > 1) state ^= strtoull(argv[1], NULL, 10) * 0x9E3779B97F4A7C15u;
  make_areas();
  for (int level = 1; level < levels; level++)
    if (!for_level(level)) printf("this processor lacks %s\n", level_names[level]);
  const int rounds = argc > 2 ? atoi(argv[2]) : 3;
  for (int round = 0; round < rounds; round++)
    for (int i = 0; i < 700; i++) {
      test_encode_decode(i);
      test_nodes(i);
      test_plane(i);
      test_fixed4(i);
      test_bytes(i);
      test_rans(i);
      test_rans_numbers(i);
      test_sparse(i);
      test_delta(i);
      test_predict(i);
      test_lattice(i);
      test_replay(i);
      test_quiet(i);
      test_palette(i);
      for (int kind = 0; kind < kinds; kind++) {
        test_split((swzip_float_kind)kind, i);
        if (i < 300) test_block((swzip_float_kind)kind, i);
      }
    }
  for (int i = 0; i < 40; i++) test_long_histogram(i);
  test_rooms();
  printf("%lu passed, %lu failed\n", passed, failed);
  return failed != 0;
}
