// AVX-512: nodes, 64 symbols by one instruction that expands, and one that compresses.
#if defined(__x86_64__)
#include "vector_avx512.h"

static uint32_t count_ones(const uint8_t *bits, uint32_t count) {
  if (count <= 64) return (uint32_t)_mm_popcnt_u64(_bzhi_u64(load64(bits), count));
  vec sum = _mm512_setzero_si512();
  uint32_t i = 0;
  for (; i + 512 <= count; i += 512) sum = _mm512_add_epi64(sum, _mm512_popcnt_epi64(LOAD(bits + i / 8)));
  uint32_t ones = (uint32_t)_mm512_reduce_add_epi64(sum);
  for (; i < count; i += 64)
    ones += (uint32_t)_mm_popcnt_u64(_bzhi_u64(load64(bits + i / 8), count - i < 64 ? count - i : 64));
  return ones;
}

static void merge(const uint8_t *bits, uint32_t count, const uint8_t *left, const uint8_t *right, uint8_t *out) {
  for (uint32_t i = 0; i < count; i += 64) {
    const uint64_t mask = load64(bits + i / 8);
    const uint64_t ones = (uint64_t)_mm_popcnt_u64(mask);
    STORE(out + i, _mm512_mask_expand_epi8(_mm512_maskz_expand_epi8(~mask, LOAD(left)), mask, LOAD(right)));
    right += ones;
    left += 64 - ones;
  }
}
static void merge_left(const uint8_t *bits, uint32_t count, uint8_t symbol, const uint8_t *right, uint8_t *out) {
  const vec leaf = _mm512_set1_epi8((char)symbol);
  for (uint32_t i = 0; i < count; i += 64) {
    const uint64_t mask = load64(bits + i / 8);
    STORE(out + i, _mm512_mask_expand_epi8(leaf, mask, LOAD(right)));
    right += _mm_popcnt_u64(mask);
  }
}
static void merge_right(const uint8_t *bits, uint32_t count, const uint8_t *left, uint8_t symbol, uint8_t *out) {
  const vec leaf = _mm512_set1_epi8((char)symbol);
  for (uint32_t i = 0; i < count; i += 64) {
    const uint64_t mask = ~load64(bits + i / 8);
    STORE(out + i, _mm512_mask_expand_epi8(leaf, mask, LOAD(left)));
    left += _mm_popcnt_u64(mask);
  }
}

// The k bytes of eight fields come to each quarter word, each field to a byte of its own; the look-up ignores what is above it.
static void unflatten(unsigned k, const uint8_t *bits, uint32_t count, const uint8_t *symbols, uint8_t *out) {
  const vec numbers = byte_numbers();
  const vec table = _mm512_permutexvar_epi8(_mm512_and_si512(numbers, _mm512_set1_epi8((char)((1 << k) - 1))), LOAD(symbols));
  if (k == 1) {
    const vec zero = _mm512_broadcastb_epi8(_mm512_castsi512_si128(table)), one = _mm512_set1_epi8((char)symbols[1]);
    for (uint32_t i = 0; i < count; i += 64) STORE(out + i, _mm512_mask_mov_epi8(zero, load64(bits + i / 8), one));
    return;
  }
  const vec lane = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7), eight = _mm512_set1_epi64(0x0706050403020100);
  const vec start = _mm512_mullo_epi64(lane, _mm512_set1_epi64((long long)(k * 0x0101010101010101)));
  const vec place = _mm512_add_epi8(eight, start);
  const vec shift = _mm512_set1_epi64((long long)(0x0706050403020100 * (uint64_t)k));
  for (uint32_t i = 0; i < count; i += 64, bits += 8 * k) {
    const vec fields = _mm512_multishift_epi64_epi8(shift, _mm512_permutexvar_epi8(place, LOAD(bits)));
    STORE(out + i, _mm512_permutexvar_epi8(fields, table));
  }
}

static bool to_ranks(const swzip_node_tree *tree, const uint8_t *symbols, uint32_t count, uint8_t *ranks) {
  const vec none = _mm512_set1_epi8((char)SWZIP_NO_RANK);
  uint64_t lacking = 0;
  uint32_t i = 0;
  const vec a = LOAD(tree->rank), b = LOAD(tree->rank + 64), c = LOAD(tree->rank + 128), d = LOAD(tree->rank + 192);
  for (; i < count; i += 64) {
    const uint64_t there = count - i < 64 ? _bzhi_u64(~0ull, count - i) : ~0ull;
    const vec x = _mm512_maskz_loadu_epi8(there, symbols + i);
    const vec found = _mm512_mask_mov_epi8(_mm512_permutex2var_epi8(a, x, b), _mm512_movepi8_mask(x), _mm512_permutex2var_epi8(c, x, d));
    lacking |= _mm512_mask_cmpeq_epi8_mask(there, found, none);
    STORE(ranks + i, found);
  }
  return lacking != 0;
}

static uint32_t split(const uint8_t *ranks, uint32_t count, uint8_t pivot, uint8_t *bits, uint8_t *left, uint8_t *right) {
  const vec least = _mm512_set1_epi8((char)pivot);
  uint32_t ones = 0;
  for (uint32_t i = 0; i < count; i += 64, bits += 8) {
    const vec x = LOAD(ranks + i);
    const uint64_t there = count - i < 64 ? _bzhi_u64(~0ull, count - i) : ~0ull;
    const uint64_t mask = _mm512_mask_cmpge_epu8_mask(there, x, least);
    const uint32_t mine = (uint32_t)_mm_popcnt_u64(mask);
    store64(bits, mask);
    if (left) STORE(left, _mm512_maskz_compress_epi8(~mask, x)), left += 64 - mine;
    if (right) STORE(right, _mm512_maskz_compress_epi8(mask, x)), right += mine;
    ones += mine;
  }
  return ones;
}

static void flatten(unsigned k, const uint8_t *ranks, uint32_t count, uint8_t first, uint8_t *bits) {
  const vec low = _mm512_set1_epi8((char)first);
  const vec pairs = _mm512_set1_epi16((short)(1 | 1 << (8 + k))), quads = _mm512_set1_epi32((int)(1u | 1u << (16 + 2 * k)));
  const vec lower = _mm512_set1_epi64(0xFFFFFFFF);
  const __m128i room = _mm_cvtsi32_si128((int)(32 - 4 * k));
  const __mmask64 used = ((1ull << k) - 1) * 0x0101010101010101;
  for (uint32_t i = 0; i < count; i += 64, bits += 8 * k) {
    const uint64_t there = count - i < 64 ? _bzhi_u64(~0ull, count - i) : ~0ull;
    const vec x = _mm512_maskz_sub_epi8(there, LOAD(ranks + i), low);
    if (k == 1) {
      store64(bits, _mm512_test_epi8_mask(x, x));
      continue;
    }
    // four fields in each double word, eight in each quarter word, whose used bytes move together
    const vec four = _mm512_madd_epi16(_mm512_maddubs_epi16(x, pairs), quads);
    const vec eight = _mm512_or_si512(_mm512_and_si512(four, lower), _mm512_srl_epi64(_mm512_andnot_si512(lower, four), room));
    STORE(bits, _mm512_maskz_compress_epi8(used, eight));
  }
}

#include "nodes.h"

bool swzip_nodes_decode_avx512(const swzip_node_tree *tree, const uint8_t *bytes, size_t byte_count, uint32_t count,
                               uint8_t *symbols, uint8_t *room) {
  return nodes_decode(tree, bytes, byte_count, count, symbols, room);
}
uint8_t *swzip_nodes_encode_avx512(const swzip_node_tree *tree, const uint8_t *symbols, uint32_t count, uint8_t *out,
                                   uint8_t *room, const swzip_missing *missing) {
  return nodes_encode(tree, symbols, count, out, room, missing);
}
#pragma clang attribute pop
#endif
