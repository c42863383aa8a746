// AVX2: nodes, eight symbols by one shuffle of bytes, whose numbers come from a table of 2 KiB.
#if defined(__x86_64__)
#include "vector_avx2.h"

#define LOAD_8(p) _mm_loadl_epi64((const __m128i *)(const void *)(p))
#define LOAD_16(p) _mm_loadu_si128((const __m128i *)(const void *)(p))
#define STORE_8(p, v) _mm_storel_epi64((__m128i *)(void *)(p), v)
#define UPPER_8(low, p) _mm_castps_si128(_mm_loadh_pi(_mm_castsi128_ps(low), (const __m64 *)(const void *)(p)))

// For each mask of eight: place i takes byte 8 + (ones before it) if its bit is set, else byte (zeros before it). A load takes
// 16 bytes, so there is one more.
#define BEFORE(m, i) ((uint64_t)__builtin_popcount((m) & ((1u << (i)) - 1)))
#define WEAVE_AT(m, i) (((m) >> (i) & 1 ? 8 + BEFORE(m, i) : BEFORE((m) ^ 255u, i)) << 8 * (i))
#define WEAVE(m)                                                                                            \
  WEAVE_AT(m, 0) | WEAVE_AT(m, 1) | WEAVE_AT(m, 2) | WEAVE_AT(m, 3) | WEAVE_AT(m, 4) | WEAVE_AT(m, 5) |     \
      WEAVE_AT(m, 6) | WEAVE_AT(m, 7),
static const uint64_t weaves[257] = {SWZIP_EACH_BYTE(WEAVE) 0};

// The numbers of the clear bits in order, and those of the set ones.
typedef struct {
  uint64_t clear, set;
} pack_numbers;
#define PACK_AT(m, i) ((m) >> (i) & 1 ? (uint64_t)(i) << 8 * BEFORE(m, i) : 0ull)
#define PACK_ALL(m)                                                                                         \
  (PACK_AT(m, 0) | PACK_AT(m, 1) | PACK_AT(m, 2) | PACK_AT(m, 3) | PACK_AT(m, 4) | PACK_AT(m, 5) |          \
   PACK_AT(m, 6) | PACK_AT(m, 7))
#define PACK(m) {PACK_ALL((m) ^ 255u), PACK_ALL(m)},
static const pack_numbers packs[256] = {SWZIP_EACH_BYTE(PACK)};

static uint32_t count_ones(const uint8_t *bits, uint32_t count) {
  uint64_t sum = 0;
  uint32_t i = 0;
  for (; i + 64 <= count; i += 64) sum += (uint64_t)_mm_popcnt_u64(load64(bits + i / 8));
  if (i < count) sum += (uint64_t)_mm_popcnt_u64(_bzhi_u64(load64(bits + i / 8), count - i));
  return (uint32_t)sum;
}

// Byte j: the ones in bytes 0 to j. Eight shuffles then know where they load without waiting for each other.
INLINE uint64_t running_ones(uint64_t mask) {
  mask -= mask >> 1 & 0x5555555555555555;
  mask = (mask & 0x3333333333333333) + (mask >> 2 & 0x3333333333333333);
  return ((mask + (mask >> 4)) & 0x0F0F0F0F0F0F0F0F) * 0x0101010101010101;
}

#define EIGHT_TIMES(M) M(0) M(1) M(2) M(3) M(4) M(5) M(6) M(7)

static void merge(const uint8_t *bits, uint32_t count, const uint8_t *left, const uint8_t *right, uint8_t *out) {
  for (uint32_t i = 0; i < count; i += 64, bits += 8, out += 64) {
    const uint64_t sums = running_ones(load64(bits)), before = sums << 8;
#define MERGE_8(j)                                                                              \
  {                                                                                             \
    const uint64_t ones = before >> 8 * j & 255;                                                \
    const __m128i both = UPPER_8(LOAD_8(left + 8 * j - ones), right + ones);                    \
    STORE_8(out + 8 * j, _mm_shuffle_epi8(both, LOAD_16(&weaves[bits[j]])));                    \
  }
    EIGHT_TIMES(MERGE_8)
#undef MERGE_8
    right += sums >> 56;
    left += 64 - (sums >> 56);
  }
}

static void merge_left(const uint8_t *bits, uint32_t count, uint8_t symbol, const uint8_t *right, uint8_t *out) {
  const __m128i leaf = _mm_set1_epi8((char)symbol);
  for (uint32_t i = 0; i < count; i += 64, bits += 8, out += 64) {
    const uint64_t sums = running_ones(load64(bits)), before = sums << 8;
#define MERGE_8(j) \
  STORE_8(out + 8 * j, _mm_shuffle_epi8(UPPER_8(leaf, right + (before >> 8 * j & 255)), LOAD_16(&weaves[bits[j]])));
    EIGHT_TIMES(MERGE_8)
#undef MERGE_8
    right += sums >> 56;
  }
}

static void merge_right(const uint8_t *bits, uint32_t count, const uint8_t *left, uint8_t symbol, uint8_t *out) {
  const __m128i leaf = _mm_slli_si128(_mm_set1_epi8((char)symbol), 8);
  for (uint32_t i = 0; i < count; i += 64, bits += 8, out += 64) {
    const uint64_t zeros = 0x4038302820181008 - running_ones(load64(bits)), before = zeros << 8;
#define MERGE_8(j)                                                            \
  STORE_8(out + 8 * j, _mm_shuffle_epi8(_mm_or_si128(LOAD_8(left + (before >> 8 * j & 255)), leaf), \
                                        LOAD_16(&weaves[bits[j]])));
    EIGHT_TIMES(MERGE_8)
#undef MERGE_8
    left += zeros >> 56;
  }
}

// The symbols of some fields, by as many tables of 16 as they need.
INLINE vec look_up(const int tables, const vec *table, vec x) {
  if (tables == 1) return _mm256_shuffle_epi8(table[0], x);
  const vec bit4 = _mm256_slli_epi16(x, 3);
  const vec low = _mm256_blendv_epi8(_mm256_shuffle_epi8(table[0], x), _mm256_shuffle_epi8(table[1], x), bit4);
  if (tables == 2) return low;
  const vec high = _mm256_blendv_epi8(_mm256_shuffle_epi8(table[2], x), _mm256_shuffle_epi8(table[3], x), bit4);
  return _mm256_blendv_epi8(low, high, _mm256_slli_epi16(x, 2));
}

INLINE void unflatten_by(const int tables, unsigned k, const uint8_t *bits, uint32_t count, const uint8_t *symbols,
                         uint8_t *out) {
  vec table[4];
  for (int t = 0; t < tables; t++) table[t] = _mm256_broadcastsi128_si256(LOAD_16(symbols + 16 * t));
  // Eight fields are the lowest k bytes of what is loaded; the rest may be anything.
  const uint64_t fields = ((1ull << k) - 1) * 0x0101010101010101, used = (1ull << 8 * k) - 1;
  uint32_t i = 0;
  for (; i + 32 <= count; i += 32, bits += 4 * k) {
#define FIELDS(j) (long long)_pdep_u64(load64(bits + (j) * k) & used, fields)
    const vec four = _mm256_setr_epi64x(FIELDS(0), FIELDS(1), FIELDS(2), FIELDS(3));
#undef FIELDS
    STORE(out + i, look_up(tables, table, four));
  }
  for (; i < count; i += 8, bits += k) {
    uint64_t eight = 0;
    memcpy(&eight, bits, count - i < 8 ? ((count - i) * k + 7) / 8 : k);
    const __m128i field = _mm_cvtsi64_si128((long long)_pdep_u64(eight, fields));
    STORE_8(out + i, _mm256_castsi256_si128(look_up(tables, table, _mm256_castsi128_si256(field))));
  }
}

static void unflatten(unsigned k, const uint8_t *bits, uint32_t count, const uint8_t *symbols, uint8_t *out) {
  if (k == 1) {
    const vec zero = _mm256_set1_epi8((char)symbols[0]), one = _mm256_set1_epi8((char)symbols[1]);
    const vec each = _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303);
    const vec bit = _mm256_set1_epi64x((long long)0x8040201008040201);
    for (uint32_t i = 0; i < count; i += 32) {
      const vec mask = _mm256_shuffle_epi8(_mm256_set1_epi32((int)load32(bits + i / 8)), each);
      STORE(out + i, _mm256_blendv_epi8(zero, one, _mm256_cmpeq_epi8(_mm256_and_si256(mask, bit), bit)));
    }
  } else if (k <= 4) {
    unflatten_by(1, k, bits, count, symbols, out);
  } else if (k == 5) {
    unflatten_by(2, k, bits, count, symbols, out);
  } else {
    unflatten_by(4, k, bits, count, symbols, out);
  }
}

static bool to_ranks(const swzip_node_tree *tree, const uint8_t *symbols, uint32_t count, uint8_t *ranks) {
  bool lacks = false;
  uint32_t i = 0;
  if (tree->last - tree->first < 64) {
    vec table[4], lacking = _mm256_setzero_si256();
    for (int q = 0; q < 4; q++) table[q] = _mm256_broadcastsi128_si256(LOAD_16(tree->rank + tree->first + 16 * q));
    const vec first = _mm256_set1_epi8((char)tree->first), low = _mm256_set1_epi8(15);
    const vec none = _mm256_set1_epi8((char)SWZIP_NO_RANK), most = _mm256_set1_epi8(63);
    for (; i + 32 <= count; i += 32) {
      const vec x = _mm256_sub_epi8(LOAD(symbols + i), first), y = _mm256_and_si256(x, low);
      const vec bit4 = _mm256_slli_epi16(x, 3), bit5 = _mm256_slli_epi16(x, 2);
      const vec a = _mm256_blendv_epi8(_mm256_shuffle_epi8(table[0], y), _mm256_shuffle_epi8(table[1], y), bit4);
      const vec b = _mm256_blendv_epi8(_mm256_shuffle_epi8(table[2], y), _mm256_shuffle_epi8(table[3], y), bit4);
      const vec inside = _mm256_cmpeq_epi8(_mm256_max_epu8(x, most), most);
      const vec found = _mm256_blendv_epi8(none, _mm256_blendv_epi8(a, b, bit5), inside);
      lacking = _mm256_or_si256(lacking, _mm256_cmpeq_epi8(found, none));
      STORE(ranks + i, found);
    }
    lacks = _mm256_movemask_epi8(lacking) != 0;
  }
  for (; i < count; i++) {
    ranks[i] = tree->rank[symbols[i]];
    lacks |= ranks[i] == SWZIP_NO_RANK;
  }
  return lacks;
}

// Eight ranks stand in both halves of a vector: one shuffle packs the left ones into the lower half, the others into the upper.
INLINE uint32_t split_as(const uint8_t *ranks, uint32_t count, uint8_t pivot, uint8_t *bits, uint8_t *left,
                         uint8_t *right, const bool keeps_left, const bool keeps_right) {
  const vec least = _mm256_set1_epi8((char)pivot);
  uint32_t ones = 0;
  for (uint32_t i = 0; i < count; i += 32, bits += 4) {
    const vec x = LOAD(ranks + i);
    uint32_t mask = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_max_epu8(x, least), x));
    if (count - i < 32) mask = _bzhi_u32(mask, count - i);
    store32(bits, mask);
    if (keeps_left || keeps_right) {
      const __m128i low = _mm256_castsi256_si128(x), high = _mm256_extracti128_si256(x, 1);
#define SPLIT_8(j, eight)                                                                              \
  {                                                                                                    \
    const unsigned here = mask >> 8 * j & 255, mine = (unsigned)_mm_popcnt_u32(here);                  \
    const __m128i packed = _mm_shuffle_epi8(eight, LOAD_16(&packs[here]));                             \
    if (keeps_left) STORE_8(left, packed), left += 8 - mine;                                           \
    if (keeps_right) _mm_storeh_pi((__m64 *)(void *)right, _mm_castsi128_ps(packed)), right += mine;   \
  }
      SPLIT_8(0, _mm_unpacklo_epi64(low, low))
      SPLIT_8(1, _mm_unpackhi_epi64(low, low))
      SPLIT_8(2, _mm_unpacklo_epi64(high, high))
      SPLIT_8(3, _mm_unpackhi_epi64(high, high))
#undef SPLIT_8
    }
    ones += (uint32_t)_mm_popcnt_u32(mask);
  }
  return ones;
}

static uint32_t split(const uint8_t *ranks, uint32_t count, uint8_t pivot, uint8_t *bits, uint8_t *left, uint8_t *right) {
  if (left && right) return split_as(ranks, count, pivot, bits, left, right, true, true);
  if (left) return split_as(ranks, count, pivot, bits, left, right, true, false);
  if (right) return split_as(ranks, count, pivot, bits, left, right, false, true);
  return split_as(ranks, count, pivot, bits, left, right, false, false);
}

static void flatten(unsigned k, const uint8_t *ranks, uint32_t count, uint8_t first, uint8_t *bits) {
  const uint64_t fields = ((1ull << k) - 1) * 0x0101010101010101, all = first * 0x0101010101010101ull;
  uint32_t i = 0;
  for (; i + 8 <= count; i += 8, bits += k) store64(bits, _pext_u64(load64(ranks + i) - all, fields));
  if (i < count) {
    const uint64_t there = (1ull << 8 * (count - i)) - 1;
    store64(bits, _pext_u64((load64(ranks + i) & there) - (all & there), fields));
  }
}

#include "nodes.h"

bool swzip_nodes_decode_avx2(const swzip_node_tree *tree, const uint8_t *bytes, size_t byte_count, uint32_t count,
                             uint8_t *symbols, uint8_t *room) {
  return nodes_decode(tree, bytes, byte_count, count, symbols, room);
}
uint8_t *swzip_nodes_encode_avx2(const swzip_node_tree *tree, const uint8_t *symbols, uint32_t count, uint8_t *out,
                                 uint8_t *room, const swzip_missing *missing) {
  return nodes_encode(tree, symbols, count, out, room, missing);
}
#pragma clang attribute pop
#endif
