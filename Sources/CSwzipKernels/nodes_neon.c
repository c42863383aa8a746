// NEON: nodes, 16 symbols by one look-up of bytes, whose numbers come from tables of 2 KiB.
#if defined(__aarch64__)
#include "vector_neon.h"

#define BEFORE(m, i) ((uint64_t)__builtin_popcount((m) & ((1u << (i)) - 1)))
#define BYTE_AT(byte, i) (((uint64_t)(byte) & 255) << 8 * (i))
#define EIGHT_BYTES(M, m) M(m, 0) | M(m, 1) | M(m, 2) | M(m, 3) | M(m, 4) | M(m, 5) | M(m, 6) | M(m, 7)

// Where the merge of 16 symbols takes each: of a left vector (bytes 0 to 15) and a right one (16 to 31). The first eight know by
// their mask alone. The second eight begin behind z left and 8 - z right symbols of the first: place i takes z + (zeros
// before it) or 24 - z + (ones before it). Either is |number - z| of a number with a sign, which is what the table has.
#define FIRST_AT(m, i) BYTE_AT((m) >> (i) & 1 ? 16 + BEFORE(m, i) : BEFORE((m) ^ 255u, i), i)
#define SECOND_AT(m, i) BYTE_AT((m) >> (i) & 1 ? 24 + BEFORE(m, i) : 256 - BEFORE((m) ^ 255u, i), i)
#define FIRST(m) EIGHT_BYTES(FIRST_AT, m),
#define SECOND(m) EIGHT_BYTES(SECOND_AT, m),
static const uint64_t first_eight[256] = {SWZIP_EACH_BYTE(FIRST)};
static const uint64_t second_eight[256] = {SWZIP_EACH_BYTE(SECOND)};

#define PACK_AT(m, i) ((m) >> (i) & 1 ? (uint64_t)(i) << 8 * BEFORE(m, i) : 0ull)
#define PACK(m) {EIGHT_BYTES(PACK_AT, (m) ^ 255u), EIGHT_BYTES(PACK_AT, m)},
const swzip_pack_numbers swzip_packs[256] = {SWZIP_EACH_BYTE(PACK)};

static uint32_t count_ones(const uint8_t *bits, uint32_t count) {
  uint32x4_t sums = vdupq_n_u32(0);
  uint32_t i = 0;
  for (; i + 128 <= count; i += 128) sums = vpadalq_u16(sums, vpaddlq_u8(vcntq_u8(LOAD(bits + i / 8))));
  uint32_t sum = vaddvq_u32(sums);
  for (; i < count; i += 64) {
    const uint64_t mask = load64(bits + i / 8);
    sum += (uint32_t)__builtin_popcountll(count - i < 64 ? mask & ((1ull << (count - i)) - 1) : mask);
  }
  return sum;
}

// 64 bits of a node. The look-ups know by the sums where they load without waiting for each other.
typedef struct {
  uint64_t mask, ones;  // byte j of `ones`: the ones in bytes 0 to j
  uint8x8_t zeros;      // of each byte
} node_bits;
INLINE node_bits load_bits(const uint8_t *bits) {
  const uint8x8_t ones = vcnt_u8(vld1_u8(bits));
  return (node_bits){load64(bits), vget_lane_u64(vreinterpret_u64_u8(ones), 0) * 0x0101010101010101,
                     vsub_u8(vdup_n_u8(8), ones)};
}
INLINE uint64_t ones_before(node_bits bits, const int quarter) {
  return quarter ? bits.ones >> (16 * quarter - 8) & 255 : 0;
}
#define WEAVE(bits, quarter)                                                                                           \
  vcombine_u8(vcreate_u8(first_eight[bits.mask >> 16 * (quarter) & 255]),                                              \
              vreinterpret_u8_s8(vabd_s8(vcreate_s8(second_eight[bits.mask >> (16 * (quarter) + 8) & 255]),            \
                                         vreinterpret_s8_u8(vdup_lane_u8(bits.zeros, 2 * (quarter))))))
#define FOUR_TIMES(M) M(0) M(1) M(2) M(3)

static void merge(const uint8_t *bits, uint32_t count, const uint8_t *left, const uint8_t *right, uint8_t *out) {
  for (uint32_t i = 0; i < count; i += 64, bits += 8, out += 64) {
    const node_bits here = load_bits(bits);
#define MERGE_16(q)                                                                         \
  {                                                                                         \
    const uint64_t ones = ones_before(here, q);                                             \
    const uint8x16x2_t both = {{LOAD(left + 16 * q - ones), LOAD(right + ones)}};           \
    STORE(out + 16 * q, vqtbl2q_u8(both, WEAVE(here, q)));                                  \
  }
    FOUR_TIMES(MERGE_16)
#undef MERGE_16
    right += here.ones >> 56;
    left += 64 - (here.ones >> 56);
  }
}

static void merge_left(const uint8_t *bits, uint32_t count, uint8_t symbol, const uint8_t *right, uint8_t *out) {
  const vec leaf = vdupq_n_u8(symbol);
  for (uint32_t i = 0; i < count; i += 64, bits += 8, out += 64) {
    const node_bits here = load_bits(bits);
#define MERGE_16(q)                                                                         \
  {                                                                                         \
    const uint8x16x2_t both = {{leaf, LOAD(right + ones_before(here, q))}};                 \
    STORE(out + 16 * q, vqtbl2q_u8(both, WEAVE(here, q)));                                  \
  }
    FOUR_TIMES(MERGE_16)
#undef MERGE_16
    right += here.ones >> 56;
  }
}

static void merge_right(const uint8_t *bits, uint32_t count, const uint8_t *left, uint8_t symbol, uint8_t *out) {
  const vec leaf = vdupq_n_u8(symbol);
  for (uint32_t i = 0; i < count; i += 64, bits += 8, out += 64) {
    const node_bits here = load_bits(bits);
#define MERGE_16(q)                                                                         \
  {                                                                                         \
    const uint8x16x2_t both = {{LOAD(left + 16 * q - ones_before(here, q)), leaf}};         \
    STORE(out + 16 * q, vqtbl2q_u8(both, WEAVE(here, q)));                                  \
  }
    FOUR_TIMES(MERGE_16)
#undef MERGE_16
    left += 64 - (here.ones >> 56);
  }
}

// The byte in which field i of k bits begins comes to byte i, where fields end in the next one also that; they are shifted
// down by where the field begins, and the look-up takes the lowest k bits.
INLINE void unflatten_by(const unsigned k, const uint8_t *bits, uint32_t count, const uint8_t *symbols, uint8_t *out) {
  const uint8x16x4_t table = vld1q_u8_x4(symbols);
  const vec field = vdupq_n_u8((uint8_t)((1 << k) - 1));
  const vec start = vmulq_u8(byte_numbers(), vdupq_n_u8((uint8_t)k)), place = vshrq_n_u8(start, 3);
  const int8x16_t down = vnegq_s8((int8x16_t)vandq_u8(start, vdupq_n_u8(7)));
  for (uint32_t i = 0; i < count; i += 16, bits += 2 * k) {
    const vec in = LOAD(bits);
    vec fields = vshlq_u8(vqtbl1q_u8(in, place), down);
    if (8 % k)
      fields = vorrq_u8(fields, vshlq_u8(vqtbl1q_u8(in, vaddq_u8(place, vdupq_n_u8(1))), vaddq_s8(down, vdupq_n_s8(8))));
    fields = vandq_u8(fields, field);
    STORE(out + i, k > 4 ? vqtbl4q_u8(table, fields) : vqtbl1q_u8(table.val[0], fields));
  }
}

static void unflatten(unsigned k, const uint8_t *bits, uint32_t count, const uint8_t *symbols, uint8_t *out) {
  switch (k) {
    case 1: unflatten_by(1, bits, count, symbols, out); break;
    case 2: unflatten_by(2, bits, count, symbols, out); break;
    case 3: unflatten_by(3, bits, count, symbols, out); break;
    case 4: unflatten_by(4, bits, count, symbols, out); break;
    case 5: unflatten_by(5, bits, count, symbols, out); break;
    default: unflatten_by(6, bits, count, symbols, out); break;
  }
}

// By tables of 64 ranks from symbol `first` on; a look-up outside its table leaves what is there.
INLINE bool to_ranks_by(const int tables, const uint8_t *rank, uint8_t first, const uint8_t *symbols, uint32_t count,
                        uint8_t *ranks) {
  const vec none = vdupq_n_u8(SWZIP_NO_RANK);
  uint8x16x4_t table[4];
  for (int t = 0; t < tables; t++) table[t] = vld1q_u8_x4(rank + first + 64 * t);
  vec lacking = vdupq_n_u8(0);
  uint32_t i = 0;
  for (; i + 16 <= count; i += 16) {
    const vec x = vsubq_u8(LOAD(symbols + i), vdupq_n_u8(first));
    vec found = none;
    for (int t = 0; t < tables; t++) found = vqtbx4q_u8(found, table[t], vsubq_u8(x, vdupq_n_u8((uint8_t)(64 * t))));
    lacking = vorrq_u8(lacking, vceqq_u8(found, none));
    STORE(ranks + i, found);
  }
  bool lacks = vmaxvq_u8(lacking) != 0;
  for (; i < count; i++) {
    ranks[i] = rank[symbols[i]];
    lacks |= ranks[i] == SWZIP_NO_RANK;
  }
  return lacks;
}

static bool to_ranks(const swzip_node_tree *tree, const uint8_t *symbols, uint32_t count, uint8_t *ranks) {
  return tree->last - tree->first < 64 ? to_ranks_by(1, tree->rank, tree->first, symbols, count, ranks)
                                       : to_ranks_by(4, tree->rank, 0, symbols, count, ranks);
}

// 64 ranks are loaded before one is stored: `left` may be `ranks`.
INLINE uint32_t split_as(const uint8_t *ranks, uint32_t count, uint8_t pivot, uint8_t *bits, uint8_t *left,
                         uint8_t *right, const bool keeps_left, const bool keeps_right) {
  const vec least = vdupq_n_u8(pivot);
  uint32_t sum = 0;
  for (uint32_t i = 0; i < count; i += 64, bits += 8) {
    const vec x[4] = {LOAD(ranks + i), LOAD(ranks + i + 16), LOAD(ranks + i + 32), LOAD(ranks + i + 48)};
    uint64_t mask = mask_of(vcgeq_u8(x[0], least), vcgeq_u8(x[1], least), vcgeq_u8(x[2], least), vcgeq_u8(x[3], least));
    if (count - i < 64) mask &= (1ull << (count - i)) - 1;
    store64(bits, mask);
    const uint64_t ones = running_ones(mask), before = ones << 8;
#define SPLIT_8(j, eight)                                                                             \
  {                                                                                                   \
    const swzip_pack_numbers *const numbers = &swzip_packs[mask >> 8 * (j) & 255];                    \
    const uint64_t mine = before >> 8 * (j) & 255;                                                    \
    if (keeps_left) vst1_u8(left + 8 * (j) - mine, vtbl1_u8(eight, vcreate_u8(numbers->clear)));      \
    if (keeps_right) vst1_u8(right + mine, vtbl1_u8(eight, vcreate_u8(numbers->set)));                \
  }
#define SPLIT_16(q) SPLIT_8(2 * q, vget_low_u8(x[q])) SPLIT_8(2 * q + 1, vget_high_u8(x[q]))
    if (keeps_left || keeps_right) {
      FOUR_TIMES(SPLIT_16)
    }
#undef SPLIT_16
#undef SPLIT_8
    if (keeps_left) left += 64 - (ones >> 56);
    if (keeps_right) right += ones >> 56;
    sum += (uint32_t)(ones >> 56);
  }
  return sum;
}

static uint32_t split(const uint8_t *ranks, uint32_t count, uint8_t pivot, uint8_t *bits, uint8_t *left, uint8_t *right) {
  if (left && right) return split_as(ranks, count, pivot, bits, left, right, true, true);
  if (left) return split_as(ranks, count, pivot, bits, left, right, true, false);
  if (right) return split_as(ranks, count, pivot, bits, left, right, false, true);
  return split_as(ranks, count, pivot, bits, left, right, false, false);
}

// Two fields are joined in 16 bits, four in 32, eight in 64, of which the lowest k bytes are stored.
INLINE void flatten_by(const unsigned k, const uint8_t *ranks, uint32_t count, uint8_t first, uint8_t *bits) {
  const vec low = vdupq_n_u8(first);
  for (uint32_t i = 0; i < count; i += 16, bits += 2 * k) {
    vec x = vsubq_u8(LOAD(ranks + i), low);
    if (count - i < 16) x = vandq_u8(x, vcltq_u8(byte_numbers(), vdupq_n_u8((uint8_t)(count - i))));
    const uint16x8_t one = (uint16x8_t)x, pair = (one & 0xFF) | one >> 8 << k;
    const uint32x4_t two = (uint32x4_t)pair, quad = (two & 0xFFFF) | two >> 16 << 2 * k;
    const uint64x2_t four = (uint64x2_t)quad, octet = (four & 0xFFFFFFFF) | four >> 32 << 4 * k;
    store64(bits, vgetq_lane_u64(octet, 0));
    store64(bits + k, vgetq_lane_u64(octet, 1));
  }
}

static void flatten(unsigned k, const uint8_t *ranks, uint32_t count, uint8_t first, uint8_t *bits) {
  switch (k) {
    case 1: flatten_by(1, ranks, count, first, bits); break;
    case 2: flatten_by(2, ranks, count, first, bits); break;
    case 3: flatten_by(3, ranks, count, first, bits); break;
    case 4: flatten_by(4, ranks, count, first, bits); break;
    case 5: flatten_by(5, ranks, count, first, bits); break;
    default: flatten_by(6, ranks, count, first, bits); break;
  }
}

#include "nodes.h"

bool swzip_nodes_decode_neon(const swzip_node_tree *tree, const uint8_t *bytes, size_t byte_count, uint32_t count,
                             uint8_t *symbols, uint8_t *room) {
  return nodes_decode(tree, bytes, byte_count, count, symbols, room);
}
uint8_t *swzip_nodes_encode_neon(const swzip_node_tree *tree, const uint8_t *symbols, uint32_t count, uint8_t *out,
                                 uint8_t *room, const swzip_missing *missing) {
  return nodes_encode(tree, symbols, count, out, room, missing);
}
#endif
