// AVX2 + BMI2: merge with the hash fused, split, encode. Gives the bytes of portable.c.
//
// Merge: 32 symbols and their 32 raw bytes are woven into two vectors of 16-bit values, rotated back, stored, and fed
// to XXH3's accumulators while they are in registers. XXH3 of more than 240 bytes works on stripes of 64 bytes: eight
// 64-bit lanes here live in two vectors; stripe i of each 1024 bytes uses the secret at 8 i; after 16 stripes the
// lanes are scrambled; the last stripe overlaps backwards and has a secret of its own. A unit of 256 values is 4, 8 or
// 16 stripes. The last unit of a block and units with patches go through a small buffer.
#if defined(__x86_64__)
#include <immintrin.h>
#include <stdlib.h>
#include <string.h>
#pragma clang attribute push(__attribute__((target("avx2,bmi,bmi2,lzcnt"))), apply_to = function)
#define XXH_VECTOR 2
#define XXH_INLINE_ALL
#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>

#include "float.h"
#include "huffman_decode_body.h"
#include "kernels.h"
#include "xxh3.h"

typedef __m256i vec;
#define LOAD(p) _mm256_loadu_si256((const vec *)(const void *)(p))
#define STORE(p, v) _mm256_storeu_si256((vec *)(void *)(p), v)
#define LANES(v) _mm256_permute4x64_epi64(v, 0xD8)  // quarters 0 2 1 3: undoes what pack and unpack do to lanes

// ---------------------------------------------------------------- hash

static swzip_hash_lanes hash_begin(void) {
  return (swzip_hash_lanes){{XXH_PRIME32_3, XXH_PRIME64_1, XXH_PRIME64_2, XXH_PRIME64_3, XXH_PRIME64_4, XXH_PRIME32_2,
                             XXH_PRIME64_5, XXH_PRIME32_1}};
}

INLINE vec hash_add(vec lane, vec data, const uint8_t *secret) {
  const vec key = _mm256_xor_si256(data, LOAD(secret));
  const vec product = _mm256_mul_epu32(key, _mm256_srli_epi64(key, 32));
  return _mm256_add_epi64(_mm256_add_epi64(lane, _mm256_shuffle_epi32(data, 0x4E)), product);
}

INLINE vec hash_scramble(vec lane, const uint8_t *secret) {
  const vec prime = _mm256_set1_epi32((int)XXH_PRIME32_1);
  const vec x = _mm256_xor_si256(_mm256_xor_si256(lane, _mm256_srli_epi64(lane, 47)), LOAD(secret));
  return _mm256_add_epi64(_mm256_mul_epu32(x, prime),
                          _mm256_slli_epi64(_mm256_mul_epu32(_mm256_srli_epi64(x, 32), prime), 32));
}

static uint64_t hash_end(const swzip_hash_lanes *hash, size_t byte_count) {
  _Alignas(64) uint64_t lanes[8];
  memcpy(lanes, hash->lane, sizeof lanes);
  return XXH3_mergeAccs(lanes, XXH3_kSecret + XXH_SECRET_MERGEACCS_START, (xxh_u64)byte_count * XXH_PRIME64_1);
}

// The stripes of one unit that went through a buffer. `before`: 64 bytes precede `bytes` in memory.
static void hash_buffered(swzip_hash_lanes *hash, const uint8_t *bytes, size_t byte_count, size_t unit_stripes, uint32_t unit,
                          bool last) {
  const size_t first = unit * unit_stripes & 15;
  const size_t stripes = last ? (byte_count - 1) / 64 : unit_stripes;
  vec a = LOAD(hash->lane), b = LOAD(hash->lane + 4);
  for (size_t i = 0; i < stripes; i++) {
    a = hash_add(a, LOAD(bytes + 64 * i), XXH3_kSecret + 8 * (first + i));
    b = hash_add(b, LOAD(bytes + 64 * i + 32), XXH3_kSecret + 8 * (first + i) + 32);
  }
  if (last) {
    const uint8_t *const end = bytes + byte_count - 64, *const secret = XXH3_kSecret + 128 - XXH_SECRET_LASTACC_START;
    a = hash_add(a, LOAD(end), secret);
    b = hash_add(b, LOAD(end + 32), secret + 32);
  } else if (((first + stripes) & 15) == 0) {
    a = hash_scramble(a, XXH3_kSecret + 128);
    b = hash_scramble(b, XXH3_kSecret + 160);
  }
  STORE(hash->lane, a);
  STORE(hash->lane + 4, b);
}

// ---------------------------------------------------------------- merge

// Puts vector number j of the unit: stores it and hashes it.
#define PUT(j, v)                                                               \
  {                                                                             \
    const vec put = v;                                                          \
    if (streaming) _mm256_stream_si256((vec *)(void *)(out + 32 * (j)), put);   \
    else STORE(out + 32 * (j), put);                                            \
    if ((j) & 1) b = hash_add(b, put, secret + 4 * ((j) - 1) + 32);             \
    else a = hash_add(a, put, secret + 4 * (j));                                \
  }

// 32 coded parts of 16 bits from symbol bytes and raw bytes, in two vectors in order.
INLINE void weave16(swzip_float_kind kind, vec symbols, vec raw, vec base, vec *x, vec *y) {
  symbols = LANES(symbols);
  raw = LANES(raw);
  const vec u = _mm256_unpacklo_epi8(raw, symbols), v = _mm256_unpackhi_epi8(raw, symbols);
  if (kind == SWZIP_BF16_J1 || kind == SWZIP_F32_J1) {
    // u = symbol << 8 | raw << 1: exponent and mantissa are u >> 2 plus the base unless the symbol is 0, sign is bit 1
    const vec none = _mm256_set1_epi16(63);
    const vec p = _mm256_srli_epi16(u, 2), q = _mm256_srli_epi16(v, 2);
    *x = _mm256_or_si256(_mm256_add_epi16(p, _mm256_and_si256(base, _mm256_cmpgt_epi16(p, none))), _mm256_slli_epi16(u, 14));
    *y = _mm256_or_si256(_mm256_add_epi16(q, _mm256_and_si256(base, _mm256_cmpgt_epi16(q, none))), _mm256_slli_epi16(v, 14));
  } else {
    *x = _mm256_or_si256(_mm256_srli_epi16(u, 1), _mm256_slli_epi16(u, 15));
    *y = _mm256_or_si256(_mm256_srli_epi16(v, 1), _mm256_slli_epi16(v, 15));
  }
}

// The symbols of chunk j, and what they merge to.
#define SYMBOLS(j) LOAD(sorted ? symbols + index[j] : symbols + 32 * (j))
#define PUT16(j, raw)                                        \
  {                                                          \
    vec x, y;                                                \
    weave16(kind, SYMBOLS(j), raw, base, &x, &y);            \
    if (wide) {                                              \
      const vec p0 = LANES(LOAD(low0 + 32 * (j))), p1 = LANES(LOAD(low1 + 32 * (j))); \
      const vec l0 = _mm256_unpacklo_epi8(p0, p1), l1 = _mm256_unpackhi_epi8(p0, p1); \
      const vec s = _mm256_unpacklo_epi16(l0, x), t = _mm256_unpackhi_epi16(l0, x);   \
      const vec m = _mm256_unpacklo_epi16(l1, y), n = _mm256_unpackhi_epi16(l1, y);   \
      PUT(4 * (j), _mm256_permute2x128_si256(s, t, 0x20))     \
      PUT(4 * (j) + 1, _mm256_permute2x128_si256(s, t, 0x31)) \
      PUT(4 * (j) + 2, _mm256_permute2x128_si256(m, n, 0x20)) \
      PUT(4 * (j) + 3, _mm256_permute2x128_si256(m, n, 0x31)) \
    } else {                                                 \
      PUT(2 * (j), x)                                        \
      PUT(2 * (j) + 1, y)                                    \
    }                                                        \
  }
#define PUT8(j, raw)                                                                             \
  {                                                                                              \
    const vec r = _mm256_or_si256(SYMBOLS(j), raw);                                              \
    PUT(j, _mm256_or_si256(_mm256_and_si256(_mm256_srli_epi16(r, 1), _mm256_set1_epi8(0x7F)),    \
                           _mm256_and_si256(_mm256_slli_epi16(r, 7), _mm256_set1_epi8((char)0x80)))) \
  }

INLINE void merge_units(const swzip_float_kind kind, const bool streaming, const bool sorted, const swzip_merge_input *in,
                        uint32_t first, uint32_t end, swzip_hash_lanes *hash) {
  const bool wide = kind == SWZIP_F32_J0 || kind == SWZIP_F32_J1;
  const size_t width = wide ? 4 : kind == SWZIP_E4M3_J1 || kind == SWZIP_E5M2_J1 ? 1 : 2;
  const size_t raw_bytes = 32 * (kind == SWZIP_BF16_J0 || kind == SWZIP_F32_J0   ? 8
                                 : kind == SWZIP_BF16_J1 || kind == SWZIP_F32_J1 ? 7
                                 : kind == SWZIP_F16_J1                          ? 10
                                 : kind == SWZIP_E4M3_J1                         ? 3
                                                                                 : 2);
  uint8_t *out = in->out + first * width * SWZIP_UNIT;
  const uint8_t *raw = in->raw_plane + first * raw_bytes, *symbols = in->symbols;
  const uint8_t *low0 = wide ? in->low0 + (size_t)first * SWZIP_UNIT : NULL;
  const uint8_t *low1 = wide ? in->low1 + (size_t)first * SWZIP_UNIT : NULL;
  const uint32_t *index = sorted ? in->index + (size_t)first * 8 : NULL;
  const vec base = _mm256_set1_epi16((short)(in->window_base << 6));
  vec a = LOAD(hash->lane), b = LOAD(hash->lane + 4);
  for (uint32_t unit = first; unit < end; unit++) {
    const uint8_t *const secret = XXH3_kSecret + (unit * 4 * width & 15) * 8;
    if (kind == SWZIP_BF16_J0 || kind == SWZIP_F32_J0) {
      _Pragma("clang loop unroll(full)") for (int j = 0; j < 8; j++) PUT16(j, LOAD(raw + 32 * j))
    } else if (kind == SWZIP_BF16_J1 || kind == SWZIP_F32_J1) {
      const vec top7 = _mm256_set1_epi8((char)0xFE);
      vec carried = _mm256_setzero_si256();
#define ROW7(j)                                                                                                \
  {                                                                                                            \
    const vec r = LOAD(raw + 32 * (j));                                                                        \
    carried = _mm256_or_si256(carried, _mm256_and_si256(_mm256_slli_epi16(r, (j) + 1), _mm256_set1_epi8((char)(2 << (j))))); \
    PUT16(j, _mm256_and_si256(r, top7))                                                                        \
  }
      ROW7(0) ROW7(1) ROW7(2) ROW7(3) ROW7(4) ROW7(5) ROW7(6)
      PUT16(7, carried)
    } else if (kind == SWZIP_F16_J1) {
      _Pragma("clang loop unroll(full)") for (int half = 0; half < 2; half++) {
        const vec high = LOAD(raw + 160 * half);
        _Pragma("clang loop unroll(full)") for (int k = 0; k < 4; k++) {
          const vec bits = _mm256_and_si256(_mm256_srli_epi16(high, 2 * k), _mm256_set1_epi8(3));
          // the symbol byte holds symbol << 2: bits 8 and 9 of the raw value complete it
          vec x, y;
          weave16(kind, _mm256_or_si256(SYMBOLS(4 * half + k), bits), LOAD(raw + 160 * half + 32 + 32 * k), base, &x, &y);
          PUT(2 * (4 * half + k), x)
          PUT(2 * (4 * half + k) + 1, y)
        }
      }
    } else if (kind == SWZIP_E4M3_J1) {
      const vec three = _mm256_set1_epi8(7), one = _mm256_set1_epi8(1);
      const vec r0 = LOAD(raw), r1 = LOAD(raw + 32), r2 = LOAD(raw + 64);
      PUT8(0, _mm256_and_si256(r0, three)) PUT8(1, _mm256_and_si256(r1, three)) PUT8(2, _mm256_and_si256(r2, three))
      PUT8(3, _mm256_and_si256(_mm256_srli_epi16(r0, 3), three))
      PUT8(4, _mm256_and_si256(_mm256_srli_epi16(r1, 3), three))
      PUT8(5, _mm256_and_si256(_mm256_srli_epi16(r2, 3), three))
#define GATHER(bit)                                                                                           \
  _mm256_or_si256(_mm256_or_si256(_mm256_and_si256(_mm256_srli_epi16(r0, bit), one),                          \
                                  _mm256_slli_epi16(_mm256_and_si256(_mm256_srli_epi16(r1, bit), one), 1)),   \
                  _mm256_slli_epi16(_mm256_and_si256(_mm256_srli_epi16(r2, bit), one), 2))
      PUT8(6, GATHER(6))
      PUT8(7, GATHER(7))
    } else {
      const vec r0 = LOAD(raw), r1 = LOAD(raw + 32), two = _mm256_set1_epi8(3);
      _Pragma("clang loop unroll(full)") for (int k = 0; k < 4; k++) {
        PUT8(2 * k, _mm256_and_si256(_mm256_srli_epi16(r0, 2 * k), two))
        PUT8(2 * k + 1, _mm256_and_si256(_mm256_srli_epi16(r1, 2 * k), two))
      }
    }
    if (((unit + 1) * 4 * width & 15) == 0) {
      a = hash_scramble(a, XXH3_kSecret + 128);
      b = hash_scramble(b, XXH3_kSecret + 160);
    }
    out += width * SWZIP_UNIT;
    raw += raw_bytes;
    if (wide) low0 += SWZIP_UNIT, low1 += SWZIP_UNIT;
    if (sorted) index += 8;
    else symbols += SWZIP_UNIT;
  }
  STORE(hash->lane, a);
  STORE(hash->lane + 4, b);
}

#define MERGE(kind, name)                                                                                         \
  static NOINLINE void merge_##name##_cached(const swzip_merge_input *in, uint32_t first, uint32_t end, swzip_hash_lanes *h) { \
    merge_units(kind, false, false, in, first, end, h);                                                           \
  }                                                                                                               \
  static NOINLINE void merge_##name##_cached_sorted(const swzip_merge_input *in, uint32_t first, uint32_t end, swzip_hash_lanes *h) { \
    merge_units(kind, false, true, in, first, end, h);                                                            \
  }                                                                                                               \
  static NOINLINE void merge_##name##_streaming(const swzip_merge_input *in, uint32_t first, uint32_t end, swzip_hash_lanes *h) { \
    merge_units(kind, true, false, in, first, end, h);                                                            \
  }                                                                                                               \
  static NOINLINE void merge_##name##_streaming_sorted(const swzip_merge_input *in, uint32_t first, uint32_t end, swzip_hash_lanes *h) { \
    merge_units(kind, true, true, in, first, end, h);                                                             \
  }
MERGE(SWZIP_BF16_J0, bf16_j0) MERGE(SWZIP_BF16_J1, bf16_j1) MERGE(SWZIP_F16_J1, f16_j1) MERGE(SWZIP_E4M3_J1, e4m3_j1)
MERGE(SWZIP_E5M2_J1, e5m2_j1) MERGE(SWZIP_F32_J0, f32_j0) MERGE(SWZIP_F32_J1, f32_j1)
#define MERGES(name) {{merge_##name##_cached, merge_##name##_cached_sorted}, {merge_##name##_streaming, merge_##name##_streaming_sorted}}
const swzip_merge_functions swzip_avx2_merges = {
    [SWZIP_BF16_J0] = MERGES(bf16_j0), [SWZIP_BF16_J1] = MERGES(bf16_j1), [SWZIP_F16_J1] = MERGES(f16_j1),
    [SWZIP_E4M3_J1] = MERGES(e4m3_j1), [SWZIP_E5M2_J1] = MERGES(e5m2_j1), [SWZIP_F32_J0] = MERGES(f32_j0),
    [SWZIP_F32_J1] = MERGES(f32_j1),
};

// ---------------------------------------------------------------- one block

typedef struct {
  const swzip_float_block *block;
  swzip_merge_input input;
  swzip_merge_function *const (*merges)[2];  // [streaming][sorted]
  swzip_merge_function *merge;
  swzip_hash_lanes hash;
  uint32_t units, width;
  const uint8_t *patch, *patch_end;
  bool sorted, hashed;
} block_run;

// One unit by way of a buffer: the last of the block, maybe short, or one with patches.
static NOINLINE void merge_buffered(block_run *run, uint32_t unit) {
  _Alignas(64) uint8_t buffer[64 + 4 * SWZIP_UNIT];
  const size_t unit_bytes = (size_t)run->width * SWZIP_UNIT;
  uint8_t *const out = run->input.out + unit * unit_bytes;
  swzip_merge_input input = run->input;
  swzip_hash_lanes unused = run->hash;
  input.out = buffer + 64 - unit * unit_bytes;
  run->merges[0][run->sorted](&input, unit, unit + 1, &unused);
  for (; run->patch < run->patch_end && load16(run->patch) == unit; run->patch += 6) {
    uint8_t *const value = buffer + 64 + (size_t)run->patch[2] * run->width;
    if (run->width == 1) value[0] = run->patch[4];
    else store16(value + run->width - 2, load16(run->patch + 4));
  }
  const size_t left = (size_t)run->block->count * run->width - unit * unit_bytes;
  const size_t mine = left < unit_bytes ? left : unit_bytes;
  const bool last = unit + 1 == run->units;
  if (run->hashed) {
    if (last && mine < 64) memcpy(buffer, out - 64, 64);
    hash_buffered(&run->hash, buffer + 64, mine, unit_bytes / 64, unit, last);
  }
  memcpy(out, buffer + 64, mine);
}

// Units first to end; `input.symbols` stands at the first one if the block is not sorted.
static void merge_run(block_run *run, uint32_t first, uint32_t end) {
  const uint32_t whole = run->units - 1;
  while (first < end) {
    uint32_t stop = end < whole ? end : whole;
    if (run->patch < run->patch_end && load16(run->patch) < stop) stop = load16(run->patch);
    if (stop > first) {
      run->merge(&run->input, first, stop, &run->hash);
      if (!run->sorted) run->input.symbols += (size_t)(stop - first) * SWZIP_UNIT;
      first = stop;
    }
    if (first < end) {
      merge_buffered(run, first++);
      if (!run->sorted) run->input.symbols += SWZIP_UNIT;
    }
  }
}

bool swzip_avx2_decode_by(swzip_merge_function *const merges[2][2], size_t alignment, const swzip_float_block *block,
                          void *out, uint8_t *scratch, bool streaming, uint64_t *hash) {
  const swzip_float_kind kind = block->kind;
  const uint32_t width = float_traits[kind].width;
  const bool sorted = block->row_length != 0;
  if ((uintptr_t)out & (alignment - 1)) streaming = false;
  block_run run = {
      .block = block,
      .input = {.out = out, .raw_plane = block->raw_plane, .low0 = block->low_plane[0], .low1 = block->low_plane[1],
                .window_base = block->window_base},
      .merges = merges,
      .merge = merges[streaming][sorted],
      .hash = hash_begin(),
      .units = (block->count + SWZIP_UNIT - 1) / SWZIP_UNIT,
      .width = width,
      .patch = block->patches,
      .patch_end = block->patches + 6 * (size_t)block->patch_count,
      .sorted = sorted,
      .hashed = (size_t)block->count * width > 240,
  };
  if (sorted) {
    const uint32_t rows = block->count / block->row_length;
    const swzip_geometry geometry = swzip_geometry_sorted(rows, block->row_length);
    uint32_t *const index = (uint32_t *)(void *)(scratch + ((swzip_tile_bytes(block->count) + 63) & ~(size_t)63));
    if (!index_rows(index, block->row_groups, rows, block->row_length, &geometry)) return false;
    // the last unit is merged whole: its chunks past the end lie anywhere in the tile
    for (uint32_t i = block->count / 32; i < run.units * 8; i++) index[i] = SWZIP_STREAM_GAP;
    decode_groups(block, &geometry, scratch);
    run.input.symbols = scratch;
    run.input.index = index;
    merge_run(&run, 0, run.units);
  } else {
    const swzip_geometry geometry = swzip_geometry_unsorted(block->count);
    const uint32_t length = geometry.stream[0], stride = length + SWZIP_STREAM_GAP;
    const size_t raw_unit = 32 * (size_t)float_traits[kind].raw_bits, raw_bytes = raw_unit * run.units;
    uint32_t unit = 0;
    for (int g = 0; g < 4 && geometry.values[g]; g++) {
      const prefetch_range ahead = ahead_of(block, g);
      const size_t from = raw_unit * unit, to = from + raw_unit * (8 * length / SWZIP_UNIT);
      decode_group(block->streams, block->stream_offset + 8 * g, length, geometry.values[g],
                   scratch + SWZIP_STREAM_GAP, stride, block->table[g], ahead.from, ahead.to, block->raw_plane + from,
                   block->raw_plane + (to < raw_bytes ? to : raw_bytes));
      for (uint32_t k = 0; k < 8 && k * length < geometry.values[g]; k++) {
        const uint32_t end = unit + length / SWZIP_UNIT < run.units ? unit + length / SWZIP_UNIT : run.units;
        run.input.symbols = scratch + SWZIP_STREAM_GAP + (size_t)k * stride;
        merge_run(&run, unit, end);
        unit = end;
      }
    }
  }
  if (streaming) _mm_sfence();
  const size_t byte_count = (size_t)block->count * width;
  *hash = run.hashed ? hash_end(&run.hash, byte_count) : XXH3_64bits(out, byte_count);
  return true;
}

static bool float_decode(const swzip_float_block *block, void *out, uint8_t *scratch, bool streaming, uint64_t *hash) {
  return swzip_avx2_decode_by(swzip_avx2_merges[block->kind], 32, block, out, scratch, streaming, hash);
}

// ---------------------------------------------------------------- split

// 32 fields and raw values of 16-bit coded parts in x, y. Returns what is nonzero where a field has no symbol.
INLINE vec split16(unsigned raw_bits, vec x, vec y, vec base, vec *symbols, vec *raw_low, vec *raw_high) {
  const vec zero = _mm256_setzero_si256(), mask = _mm256_set1_epi16((short)((1 << raw_bits) - 1));
  x = _mm256_or_si256(_mm256_slli_epi16(x, 1), _mm256_srli_epi16(x, 15));
  y = _mm256_or_si256(_mm256_slli_epi16(y, 1), _mm256_srli_epi16(y, 15));
  vec f = _mm256_srli_epi16(x, (int)raw_bits), g = _mm256_srli_epi16(y, (int)raw_bits), outside = zero;
  if (raw_bits == 7) {
    const vec s = _mm256_subs_epu16(f, base), t = _mm256_subs_epu16(g, base);
    outside = _mm256_or_si256(_mm256_andnot_si256(_mm256_cmpeq_epi16(f, zero), _mm256_cmpeq_epi16(s, zero)),
                              _mm256_andnot_si256(_mm256_cmpeq_epi16(g, zero), _mm256_cmpeq_epi16(t, zero)));
    outside = _mm256_or_si256(outside, _mm256_cmpgt_epi16(_mm256_max_epi16(s, t), _mm256_set1_epi16(255)));
    f = s;
    g = t;
  }
  *symbols = LANES(_mm256_packus_epi16(f, g));
  x = _mm256_and_si256(x, mask);
  y = _mm256_and_si256(y, mask);
  if (raw_bits == 10) {
    *raw_high = LANES(_mm256_packus_epi16(_mm256_srli_epi16(x, 8), _mm256_srli_epi16(y, 8)));
    x = _mm256_and_si256(x, _mm256_set1_epi16(255));
    y = _mm256_and_si256(y, _mm256_set1_epi16(255));
  }
  *raw_low = LANES(_mm256_packus_epi16(x, y));
  return outside;
}

INLINE bool split_units(const swzip_float_kind kind, const uint8_t *values, uint32_t units, uint16_t window_base,
                        uint8_t *symbols, uint8_t *raw, uint8_t *low0, uint8_t *low1) {
  const bool wide = kind == SWZIP_F32_J0 || kind == SWZIP_F32_J1;
  const unsigned raw_bits = kind == SWZIP_BF16_J0 || kind == SWZIP_F32_J0   ? 8
                            : kind == SWZIP_BF16_J1 || kind == SWZIP_F32_J1 ? 7
                            : kind == SWZIP_F16_J1                          ? 10
                            : kind == SWZIP_E4M3_J1                         ? 3
                                                                            : 2;
  const vec base = _mm256_set1_epi16((short)window_base);
  vec outside = _mm256_setzero_si256();
  for (uint32_t unit = 0; unit < units; unit++) {
    vec raw_low[8], raw_high[8];
    _Pragma("clang loop unroll(full)") for (int j = 0; j < 8; j++) {
      vec s;
      if (raw_bits >= 7) {
        vec x, y;
        if (wide) {
          const vec v0 = LOAD(values), v1 = LOAD(values + 32), v2 = LOAD(values + 64), v3 = LOAD(values + 96);
          const vec low = _mm256_set1_epi32(0xFFFF);
          x = LANES(_mm256_packus_epi32(_mm256_srli_epi32(v0, 16), _mm256_srli_epi32(v1, 16)));
          y = LANES(_mm256_packus_epi32(_mm256_srli_epi32(v2, 16), _mm256_srli_epi32(v3, 16)));
          const vec l = LANES(_mm256_packus_epi32(_mm256_and_si256(v0, low), _mm256_and_si256(v1, low)));
          const vec m = LANES(_mm256_packus_epi32(_mm256_and_si256(v2, low), _mm256_and_si256(v3, low)));
          const vec byte = _mm256_set1_epi16(255);
          STORE(low0 + 32 * j, LANES(_mm256_packus_epi16(_mm256_and_si256(l, byte), _mm256_and_si256(m, byte))));
          STORE(low1 + 32 * j, LANES(_mm256_packus_epi16(_mm256_srli_epi16(l, 8), _mm256_srli_epi16(m, 8))));
          values += 128;
        } else {
          x = LOAD(values);
          y = LOAD(values + 32);
          values += 64;
        }
        outside = _mm256_or_si256(outside, split16(raw_bits, x, y, base, &s, raw_low + j, raw_high + j));
      } else {
        const vec x = LOAD(values), one = _mm256_set1_epi8(1);
        values += 32;
        const vec r = _mm256_or_si256(_mm256_andnot_si256(one, _mm256_slli_epi16(x, 1)),
                                      _mm256_and_si256(_mm256_srli_epi16(x, 7), one));
        s = _mm256_and_si256(_mm256_srli_epi16(r, (int)raw_bits), _mm256_set1_epi8((char)(0xFF >> raw_bits)));
        raw_low[j] = _mm256_and_si256(r, _mm256_set1_epi8((char)((1 << raw_bits) - 1)));
      }
      STORE(symbols + 32 * j, s);
    }
    if (raw_bits == 8) {
      for (int j = 0; j < 8; j++) STORE(raw + 32 * j, raw_low[j]);
    } else if (raw_bits == 7) {
      const vec one = _mm256_set1_epi8(1);
      _Pragma("clang loop unroll(full)") for (int j = 0; j < 7; j++)
          STORE(raw + 32 * j, _mm256_or_si256(_mm256_slli_epi16(raw_low[j], 1), _mm256_and_si256(_mm256_srli_epi16(raw_low[7], j), one)));
    } else if (raw_bits == 10) {
      _Pragma("clang loop unroll(full)") for (int half = 0; half < 2; half++) {
        vec high = _mm256_setzero_si256();
        _Pragma("clang loop unroll(full)") for (int k = 0; k < 4; k++) {
          high = _mm256_or_si256(high, _mm256_slli_epi16(raw_high[4 * half + k], 2 * k));
          STORE(raw + 160 * half + 32 + 32 * k, raw_low[4 * half + k]);
        }
        STORE(raw + 160 * half, high);
      }
    } else if (raw_bits == 3) {
      const vec one = _mm256_set1_epi8(1);
      _Pragma("clang loop unroll(full)") for (int i = 0; i < 3; i++) {
        const vec six = _mm256_and_si256(_mm256_srli_epi16(raw_low[6], i), one);
        const vec seven = _mm256_and_si256(_mm256_srli_epi16(raw_low[7], i), one);
        STORE(raw + 32 * i, _mm256_or_si256(_mm256_or_si256(raw_low[i], _mm256_slli_epi16(raw_low[i + 3], 3)),
                                            _mm256_or_si256(_mm256_slli_epi16(six, 6), _mm256_slli_epi16(seven, 7))));
      }
    } else {
      _Pragma("clang loop unroll(full)") for (int i = 0; i < 2; i++) STORE(
          raw + 32 * i, _mm256_or_si256(_mm256_or_si256(raw_low[i], _mm256_slli_epi16(raw_low[i + 2], 2)),
                                        _mm256_or_si256(_mm256_slli_epi16(raw_low[i + 4], 4), _mm256_slli_epi16(raw_low[i + 6], 6))));
    }
    raw += 32 * raw_bits;
    symbols += SWZIP_UNIT;
    if (wide) low0 += SWZIP_UNIT, low1 += SWZIP_UNIT;
  }
  return !_mm256_testz_si256(outside, outside);
}

#define SPLIT(kind, name)                                                                                          \
  static NOINLINE bool split_##name(const uint8_t *values, uint32_t units, uint16_t base, uint8_t *symbols,        \
                                    uint8_t *raw, uint8_t *low0, uint8_t *low1) {                                  \
    return split_units(kind, values, units, base, symbols, raw, low0, low1);                                       \
  }
SPLIT(SWZIP_BF16_J0, bf16_j0) SPLIT(SWZIP_BF16_J1, bf16_j1) SPLIT(SWZIP_F16_J1, f16_j1) SPLIT(SWZIP_E4M3_J1, e4m3_j1)
SPLIT(SWZIP_E5M2_J1, e5m2_j1) SPLIT(SWZIP_F32_J0, f32_j0) SPLIT(SWZIP_F32_J1, f32_j1)
static swzip_split_function *const split_functions[] = {
    [SWZIP_BF16_J0] = split_bf16_j0, [SWZIP_BF16_J1] = split_bf16_j1, [SWZIP_F16_J1] = split_f16_j1,
    [SWZIP_E4M3_J1] = split_e4m3_j1, [SWZIP_E5M2_J1] = split_e5m2_j1, [SWZIP_F32_J0] = split_f32_j0,
    [SWZIP_F32_J1] = split_f32_j1,
};

bool swzip_avx2_split_by(swzip_split_function *split, swzip_float_kind kind, const void *values, uint32_t count,
                         uint16_t window_base, uint8_t *symbols, uint8_t *raw_plane, uint8_t *low0, uint8_t *low1) {
  const uint32_t units = count / SWZIP_UNIT, rest = count % SWZIP_UNIT;
  const size_t width = float_traits[kind].width, done = (size_t)units * SWZIP_UNIT;
  bool outside = split(values, units, window_base, symbols, raw_plane, low0, low1);
  if (rest) {
    _Alignas(64) uint8_t last[4 * SWZIP_UNIT] = {0};
    memcpy(last, (const uint8_t *)values + done * width, rest * width);
    outside |= split(last, 1, window_base, symbols + done, raw_plane + (size_t)units * 32 * float_traits[kind].raw_bits,
                     low0 ? low0 + done : NULL, low1 ? low1 + done : NULL);
  }
  return outside;
}

bool swzip_avx2_float_split(swzip_float_kind kind, const void *values, uint32_t count, uint16_t window_base,
                            uint8_t *symbols, uint8_t *raw_plane, uint8_t *low0, uint8_t *low1) {
  return swzip_avx2_split_by(split_functions[kind], kind, values, count, window_base, symbols, raw_plane, low0, low1);
}

// ---------------------------------------------------------------- fixed4

uint32_t swzip_avx2_fixed4_escapes(const uint8_t *codes, uint32_t count) {
  const vec nibble = _mm256_set1_epi8(15), zero = _mm256_setzero_si256();
  const size_t units = ((size_t)count + 63) / 64;
  vec sum = zero;
  for (size_t unit = 0; unit < units;) {
    vec lanes = zero;  // a byte counts two codes a unit: 127 units at most
    for (const size_t end = unit + 127 < units ? unit + 127 : units; unit < end; unit++) {
      const vec packed = LOAD(codes + 32 * unit);
      lanes = _mm256_sub_epi8(lanes, _mm256_cmpeq_epi8(_mm256_and_si256(packed, nibble), nibble));
      lanes = _mm256_sub_epi8(lanes, _mm256_cmpeq_epi8(_mm256_and_si256(_mm256_srli_epi16(packed, 4), nibble), nibble));
    }
    sum = _mm256_add_epi64(sum, _mm256_sad_epu8(lanes, zero));
  }
  return (uint32_t)(_mm256_extract_epi64(sum, 0) + _mm256_extract_epi64(sum, 1) + _mm256_extract_epi64(sum, 2) +
                    _mm256_extract_epi64(sum, 3));
}

// 64 values of unit `unit` in four vectors; returns the escapes that are left.
INLINE const uint8_t *fixed4_unit(const uint8_t *codes, vec book, const uint8_t *raw_plane, const uint8_t *escapes,
                                  size_t unit, vec four[4]) {
  const vec nibble = _mm256_set1_epi8(15), packed = LOAD(codes + 32 * unit);
  _Pragma("clang loop unroll(full)") for (int half = 0; half < 2; half++) {
    const vec code = _mm256_and_si256(half ? _mm256_srli_epi16(packed, 4) : packed, nibble);
    vec symbols = _mm256_shuffle_epi8(book, code);
    uint32_t escaped = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(code, nibble));
    if (__builtin_expect(escaped != 0, 0)) {
      _Alignas(32) uint8_t mended[32];
      STORE(mended, symbols);
      for (; escaped; escaped &= escaped - 1) mended[__builtin_ctz(escaped)] = *escapes++;
      symbols = LOAD(mended);
    }
    weave16(SWZIP_BF16_J0, symbols, LOAD(raw_plane + 64 * unit + 32 * half), nibble, four + 2 * half, four + 2 * half + 1);
  }
  return escapes;
}

INLINE void fixed4_run(const uint8_t *codes, vec book, const uint8_t *raw_plane, const uint8_t **escapes, size_t units,
                       uint8_t *out, const bool streaming, swzip_hash_lanes *hash) {
  vec a = LOAD(hash->lane), b = LOAD(hash->lane + 4);
  const uint8_t *next = *escapes;
  for (size_t unit = 0; unit < units; unit++, out += 128) {
    const uint8_t *const secret = XXH3_kSecret + (unit * 2 & 15) * 8;
    __builtin_prefetch(codes + 32 * unit + 1024);
    __builtin_prefetch(raw_plane + 64 * unit + 2048);
    vec four[4];
    next = fixed4_unit(codes, book, raw_plane, next, unit, four);
    PUT(0, four[0]) PUT(1, four[1]) PUT(2, four[2]) PUT(3, four[3])
    if (((unit + 1) * 2 & 15) == 0) {
      a = hash_scramble(a, XXH3_kSecret + 128);
      b = hash_scramble(b, XXH3_kSecret + 160);
    }
  }
  *escapes = next;
  STORE(hash->lane, a);
  STORE(hash->lane + 4, b);
}

void swzip_avx2_fixed4_decode(const uint8_t *codes, const uint8_t *codebook, const uint8_t *raw_plane,
                          const uint8_t *escapes, uint32_t count, void *out, bool streaming, uint64_t *hash) {
  const vec book = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)codebook));
  const size_t byte_count = 2 * (size_t)count, whole = (count - 1) / 64, left = byte_count - 128 * whole;
  uint8_t *const bytes = out, *const end = bytes + 128 * whole;
  swzip_hash_lanes lanes = hash_begin();
  if (streaming && !((uintptr_t)out & 31)) {
    fixed4_run(codes, book, raw_plane, &escapes, whole, bytes, true, &lanes);
    _mm_sfence();
  } else {
    fixed4_run(codes, book, raw_plane, &escapes, whole, bytes, false, &lanes);
  }
  _Alignas(32) uint8_t buffer[64 + 128];
  vec four[4];
  fixed4_unit(codes, book, raw_plane, escapes, whole, four);
  for (int i = 0; i < 4; i++) STORE(buffer + 64 + 32 * i, four[i]);
  if (byte_count > 240) {
    if (left < 64) memcpy(buffer, end - 64, 64);
    hash_buffered(&lanes, buffer + 64, left, 2, (uint32_t)whole, true);
  }
  memcpy(end, buffer + 64, left);
  *hash = byte_count > 240 ? hash_end(&lanes, byte_count) : XXH3_64bits(out, byte_count);
}

uint32_t swzip_avx2_fixed4_encode(const void *values, uint32_t count, uint8_t window_first, uint8_t *codes,
                              uint8_t *raw_plane, uint8_t *escapes) {
  const vec zero = _mm256_setzero_si256(), before = _mm256_set1_epi8((char)(window_first - 1));
  const vec fourteen = _mm256_set1_epi8(14), fifteen = _mm256_set1_epi8(15), one = _mm256_set1_epi8(1);
  const size_t units = ((size_t)count + 63) / 64;
  const uint8_t *bytes = values;
  uint32_t escaped = 0;
  memset(raw_plane + 64 * units, 0, swzip_raw_plane_bytes(SWZIP_BF16_J0, count) - 64 * units);
  for (size_t unit = 0; unit < units; unit++, bytes += 128) {
    _Alignas(32) uint8_t last[128];
    const uint8_t *from = bytes;
    if (unit == units - 1 && count % 64) {
      memset(last, 0, sizeof last);
      memcpy(last, bytes, 2 * (count % 64));
      from = last;
    }
    vec code[2];
    _Pragma("clang loop unroll(full)") for (int half = 0; half < 2; half++) {
      vec symbols, raw, unused;
      split16(8, LOAD(from + 64 * half), LOAD(from + 64 * half + 32), zero, &symbols, &raw, &unused);
      STORE(raw_plane + 64 * unit + 32 * half, raw);
      // 1 to 14 inside the window, 0 for zero, 15 for the rest
      const vec step = _mm256_sub_epi8(symbols, before);
      const vec inside = _mm256_cmpeq_epi8(_mm256_min_epu8(_mm256_sub_epi8(step, one), _mm256_set1_epi8(13)), _mm256_sub_epi8(step, one));
      const vec is_zero = _mm256_cmpeq_epi8(symbols, zero);
      vec c = _mm256_blendv_epi8(fifteen, _mm256_min_epu8(step, fourteen), inside);
      c = _mm256_andnot_si256(is_zero, c);
      code[half] = c;
      uint32_t out_of_window = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(c, fifteen));
      if (__builtin_expect(out_of_window != 0, 0)) {
        _Alignas(32) uint8_t all[32];
        STORE(all, symbols);
        for (; out_of_window; out_of_window &= out_of_window - 1) escapes[escaped++] = all[__builtin_ctz(out_of_window)];
      }
    }
    STORE(codes + 32 * unit, _mm256_or_si256(code[0], _mm256_slli_epi16(code[1], 4)));
  }
  return escaped;
}

// ---------------------------------------------------------------- Huffman encode

// 32 symbols at a time: codes and lengths come from byte shuffles over a window of 32 symbols, neighbours are joined to
// pairs (multiply by 2^length and add), quads and octets (variable shifts), and four octets are appended to the bit
// stream. Octets over 56 bits, and symbols outside the window or without a code, take the scalar path.
#define APPEND(code_bits, code_length)      \
  {                                         \
    bits |= (uint64_t)(code_bits) << held;  \
    held += (code_length);                  \
    store64(out, bits);                     \
    out += held >> 3;                       \
    bits >>= held & 56;                     \
    held &= 7;                              \
  }
#define APPEND_ONE(i)                                                                    \
  {                                                                                      \
    unsigned symbol = symbols[i];                                                        \
    if (__builtin_expect(!table->length[symbol], 0)) {                                   \
      if (*missing_count < missing_capacity) missing[*missing_count] = first_position + (uint32_t)(i); \
      (*missing_count)++;                                                                \
      symbol = table->cheapest;                                                          \
    }                                                                                    \
    APPEND(table->code[symbol], table->length[symbol])                                   \
  }

static NOINLINE uint8_t *huffman_encode(const uint8_t *symbols, size_t count, const swzip_encode_table *table,
                                        uint8_t *out, uint32_t first_position, uint32_t *missing,
                                        uint32_t missing_capacity, uint32_t *missing_count) {
  const vec zero = _mm256_setzero_si256(), low4 = _mm256_set1_epi8(15), low3 = _mm256_set1_epi8(7);
  const vec window = _mm256_set1_epi8(31), first = _mm256_set1_epi8((char)table->first);
  vec low[2], high[2];
  for (int i = 0; i < 2; i++) {
    low[i] = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)(table->low + 16 * i)));
    high[i] = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)(table->high + 16 * i)));
  }
  const vec power_low = _mm256_setr_epi8(1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64,
                                         -128, 0, 0, 0, 0, 0, 0, 0, 0);
  const vec power_high = _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2,
                                          4, 8, 0, 0, 0, 0);
  const vec one_high = _mm256_set1_epi32(0x00010000), low32 = _mm256_set1_epi64x(0xFFFFFFFF);
  uint64_t bits = 0;
  unsigned held = 0;
  size_t i = count;
  while (i & 31) {
    i--;
    APPEND_ONE(i)
  }
  while (i) {
    i -= 32;
    const vec x = _mm256_sub_epi8(LOAD(symbols + i), first);
    vec good = _mm256_cmpeq_epi8(_mm256_min_epu8(x, window), x);
    const vec bit4 = _mm256_slli_epi16(x, 3), nibble = _mm256_and_si256(x, low4);
#define PICK(t) \
  _mm256_blendv_epi8(_mm256_shuffle_epi8(t[0], nibble), _mm256_shuffle_epi8(t[1], nibble), bit4)
    const vec code_low = PICK(low), both = PICK(high);
    const vec length = _mm256_and_si256(both, low4);
    const vec code_high = _mm256_and_si256(_mm256_srli_epi16(both, 4), low3);
    good = _mm256_andnot_si256(_mm256_cmpeq_epi8(length, zero), good);
    // pairs: code of the later symbol below, the earlier one's shifted up by the later one's length
    const vec pl = _mm256_shuffle_epi8(power_low, length), ph = _mm256_shuffle_epi8(power_high, length);
    const vec code_a = _mm256_unpacklo_epi8(code_low, code_high), code_b = _mm256_unpackhi_epi8(code_low, code_high);
    const vec power_a = _mm256_or_si256(_mm256_srli_epi32(_mm256_unpacklo_epi8(pl, ph), 16), one_high);
    const vec power_b = _mm256_or_si256(_mm256_srli_epi32(_mm256_unpackhi_epi8(pl, ph), 16), one_high);
    const vec pair_a = _mm256_madd_epi16(code_a, power_a), pair_b = _mm256_madd_epi16(code_b, power_b);
    const vec length2 = _mm256_maddubs_epi16(length, _mm256_set1_epi8(1));
    const vec length_a = _mm256_unpacklo_epi16(length2, zero), length_b = _mm256_unpackhi_epi16(length2, zero);
    // quads
    const vec quad_a = _mm256_or_si256(_mm256_srli_epi64(pair_a, 32),
                                       _mm256_sllv_epi64(_mm256_and_si256(pair_a, low32), _mm256_srli_epi64(length_a, 32)));
    const vec quad_b = _mm256_or_si256(_mm256_srli_epi64(pair_b, 32),
                                       _mm256_sllv_epi64(_mm256_and_si256(pair_b, low32), _mm256_srli_epi64(length_b, 32)));
    const vec length4_a = _mm256_add_epi64(_mm256_srli_epi64(length_a, 32), _mm256_and_si256(length_a, low32));
    const vec length4_b = _mm256_add_epi64(_mm256_srli_epi64(length_b, 32), _mm256_and_si256(length_b, low32));
    // octets
    const vec later = _mm256_unpackhi_epi64(quad_a, quad_b), earlier = _mm256_unpacklo_epi64(quad_a, quad_b);
    const vec later_length = _mm256_unpackhi_epi64(length4_a, length4_b);
    const vec octet = _mm256_or_si256(later, _mm256_sllv_epi64(earlier, later_length));
    const vec octet_length = _mm256_add_epi64(later_length, _mm256_unpacklo_epi64(length4_a, length4_b));
    const vec long_octet = _mm256_cmpgt_epi64(octet_length, _mm256_set1_epi64x(56));
    if (__builtin_expect(_mm256_movemask_epi8(good) == -1 && _mm256_testz_si256(long_octet, long_octet), 1)) {
      _Alignas(32) uint64_t octets[4], lengths[4];
      _mm256_store_si256((vec *)(void *)octets, octet);
      _mm256_store_si256((vec *)(void *)lengths, octet_length);
      APPEND(octets[3], (unsigned)lengths[3])
      APPEND(octets[2], (unsigned)lengths[2])
      APPEND(octets[1], (unsigned)lengths[1])
      APPEND(octets[0], (unsigned)lengths[0])
    } else {
      for (size_t j = i + 32; j-- > i;) APPEND_ONE(j)
    }
  }
  if (held) *out++ = (uint8_t)bits;
  return out;
}

void swzip_avx2_row_sums(const uint8_t *symbols, uint32_t rows, uint32_t row_length, uint32_t *sums) {
  for (uint32_t row = 0; row < rows; row++, symbols += row_length) {
    vec sum = _mm256_setzero_si256();
    for (uint32_t i = 0; i < row_length; i += 32)
      sum = _mm256_add_epi64(sum, _mm256_sad_epu8(LOAD(symbols + i), _mm256_setzero_si256()));
    sums[row] = (uint32_t)(_mm256_extract_epi64(sum, 0) + _mm256_extract_epi64(sum, 1) + _mm256_extract_epi64(sum, 2) +
                           _mm256_extract_epi64(sum, 3));
  }
}

// ---------------------------------------------------------------- decode table

// The table for windows of b bits is composed from shorter ones: the entry of a window is its first symbol followed by
// the entry of the b - l bits left. Whole runs of entries are made by vector adds, a fifth of the simple build's time.
// Codes of one bit would put more than six symbols into an entry: the simple build serves them.
INLINE uint64_t prepend(uint64_t first, uint64_t rest) {
  return first + ((rest >> 8 & 0x00FFFFFFFFFF0000ull) | (rest & 0xFFFF));
}

void swzip_avx2_table_build(const uint8_t *lengths, unsigned shift, swzip_decode_table *table) {
  enum { bits = SWZIP_CODE_BITS };
  swzip_code_order order;
  swzip_code_order_make(lengths, &order);
  const int shortest = order.length[0];
  if (shortest == 1) {
    swzip_table_build_simple(lengths, shift, table);
    return;
  }
  // heads[w]: first symbol of a 6-bit window, where its code has at most 6 bits. parts[(1 << b) + w]: b-bit window w.
  uint64_t heads[64] = {0}, parts[1 << bits];
#define HEAD(i) ((uint64_t)(uint8_t)(order.symbol[i] << shift) << 56 | 0x100 | order.length[i])
  for (int i = 0; i < order.count && order.length[i] <= 6; i++)
    for (unsigned w = order.code[i]; w < 64; w += 1u << order.length[i]) heads[w] = HEAD(i);
  for (int w = 0; w < 1 << shortest; w++) parts[w] = 0;
  for (int b = shortest; b <= 6; b++)
    for (unsigned w = 0; w < 1u << b; w++) {
      const unsigned used = heads[w] & 0xFF;
      parts[(1u << b) | w] = heads[w] && used <= (unsigned)b ? prepend(heads[w], parts[((1u << b) | w) >> used]) : 0;
    }
  for (int b = 7; b <= bits; b++) {
    if (b < bits && b > bits - shortest) continue;  // no code is short enough to leave b bits
    uint64_t *const to = b == bits ? table->entry : parts + (1u << b);
    if (b < bits) memset(to, 0, sizeof(uint64_t) << b);
    int i = 0;
    for (; i < order.count && order.length[i] <= b - 2; i++) {
      const int l = order.length[i];
      const uint64_t head = HEAD(i);
      const vec add = _mm256_set1_epi64x((long long)head), symbols = _mm256_set1_epi64x(0x00FFFFFFFFFF0000ll);
      const uint64_t *const rest = parts + (1u << (b - l));
      uint64_t *at = to + order.code[i];
      const size_t stride = (size_t)1 << l;
      for (size_t k = 0; k < (size_t)1 << (b - l); k += 4, at += 4 * stride) {
        const vec r = LOAD(rest + k);
        const vec e = _mm256_add_epi64(add, _mm256_or_si256(_mm256_and_si256(_mm256_srli_epi64(r, 8), symbols),
                                                            _mm256_and_si256(r, _mm256_set1_epi64x(0xFFFF))));
        at[0] = (uint64_t)_mm256_extract_epi64(e, 0);
        at[stride] = (uint64_t)_mm256_extract_epi64(e, 1);
        at[2 * stride] = (uint64_t)_mm256_extract_epi64(e, 2);
        at[3 * stride] = (uint64_t)_mm256_extract_epi64(e, 3);
      }
    }
    for (; i < order.count && order.length[i] <= b; i++) {
      const int l = order.length[i];
      for (unsigned k = 0; k < 1u << (b - l); k++) to[order.code[i] | k << l] = prepend(HEAD(i), parts[(1u << (b - l)) + k]);
    }
  }
  table->max_count = (uint32_t)(bits / shortest);
}

void swzip_avx2_plane_decode(const uint8_t *streams, const uint32_t *offset, uint32_t count,
                             const swzip_decode_table *table, uint8_t *tile, uint8_t *out) {
  plane_decode(streams, offset, count, table, tile, out);
}

const swzip_kernel_set swzip_kernels_avx2 = {
    .xxh3_64 = swzip_xxh3_64_avx2,
    .xxh3_128_add = swzip_xxh3_128_add_avx2,
    .table_build = swzip_avx2_table_build,
    .huffman_encode = huffman_encode,
    .plane_decode = swzip_avx2_plane_decode,
    .float_decode = float_decode,
    .float_split = swzip_avx2_float_split,
    .fixed4_escapes = swzip_avx2_fixed4_escapes,
    .fixed4_decode = swzip_avx2_fixed4_decode,
    .fixed4_encode = swzip_avx2_fixed4_encode,
    .row_sums = swzip_avx2_row_sums,
    .histogram_add = swzip_histogram_add_plain,
};
#pragma clang attribute pop
#endif
