// Nodes, eight symbols at a time in a register: the definition.
#include "kernels.h"

static uint32_t count_ones(const uint8_t *bits, uint32_t count) {
  uint32_t sum = 0, i = 0;
  for (; i + 64 <= count; i += 64) sum += (uint32_t)__builtin_popcountll(load64(bits + i / 8));
  if (i < count) sum += (uint32_t)__builtin_popcountll(load64(bits + i / 8) & ((1ull << (count - i)) - 1));
  return sum;
}

// Eight bytes come to the places that a mask names in three steps, by 4, 2 and 1 places: `move` says which bytes of the result
// come from below. `there`: all bytes that the mask names.
typedef struct {
  uint64_t move[3], there;
} spread_steps;
#define RANK(m, p) ((unsigned)__builtin_popcount((m) & ((1u << (p)) - 1)))
#define GOES(m, p, step) (((m) >> (p) & 1) && ((p) - RANK(m, p)) & (step))
#define MOVE(m, p, step, all) (GOES(m, p, step) ? 0xFFull << 8 * (RANK(m, p) + (((p) - RANK(m, p)) & (all))) : 0ull)
#define MOVES(m, step, all)                                                                                      \
  (MOVE(m, 0u, step, all) | MOVE(m, 1u, step, all) | MOVE(m, 2u, step, all) | MOVE(m, 3u, step, all) |           \
   MOVE(m, 4u, step, all) | MOVE(m, 5u, step, all) | MOVE(m, 6u, step, all) | MOVE(m, 7u, step, all))
#define BYTE(m, p) ((m) >> (p) & 1 ? 0xFFull << 8 * (p) : 0ull)
#define STEPS(m)                                                                                                 \
  {{MOVES(m, 4u, 4u), MOVES(m, 2u, 6u), MOVES(m, 1u, 7u)},                                                       \
   BYTE(m, 0) | BYTE(m, 1) | BYTE(m, 2) | BYTE(m, 3) | BYTE(m, 4) | BYTE(m, 5) | BYTE(m, 6) | BYTE(m, 7)},
static const spread_steps spreads[256] = {SWZIP_EACH_BYTE(STEPS)};

static inline uint64_t spread(uint64_t x, const spread_steps *steps) {
  x ^= (x ^ x << 32) & steps->move[0];
  x ^= (x ^ x << 16) & steps->move[1];
  x ^= (x ^ x << 8) & steps->move[2];
  return x & steps->there;
}

static void merge(const uint8_t *bits, uint32_t count, const uint8_t *left, const uint8_t *right, uint8_t *out) {
  for (uint32_t i = 0; i < count; i += 8) {
    const unsigned mask = *bits++, ones = (unsigned)__builtin_popcount(mask);
    store64(out + i, spread(load64(right), &spreads[mask]) | spread(load64(left), &spreads[mask ^ 255]));
    right += ones;
    left += 8 - ones;
  }
}

// One child's symbols, and a leaf's where the mask is clear.
static void merge_leaf(const uint8_t *bits, unsigned flip, uint32_t count, uint8_t symbol, const uint8_t *list,
                       uint8_t *out) {
  const uint64_t all = symbol * 0x0101010101010101ull;
  for (uint32_t i = 0; i < count; i += 8) {
    const unsigned mask = *bits++ ^ flip;
    store64(out + i, spread(load64(list), &spreads[mask]) | (all & ~spreads[mask].there));
    list += __builtin_popcount(mask);
  }
}
static void merge_left(const uint8_t *bits, uint32_t count, uint8_t symbol, const uint8_t *right, uint8_t *out) {
  merge_leaf(bits, 0, count, symbol, right, out);
}
static void merge_right(const uint8_t *bits, uint32_t count, const uint8_t *left, uint8_t symbol, uint8_t *out) {
  merge_leaf(bits, 255, count, symbol, left, out);
}

static void unflatten(unsigned k, const uint8_t *bits, uint32_t count, const uint8_t *symbols, uint8_t *out) {
  const unsigned mask = (1u << k) - 1;
  for (uint32_t i = 0; i < count; i += 8, bits += k) {
    uint64_t fields = load64(bits), eight = 0;
    for (int j = 0; j < 8; j++, fields >>= k) eight |= (uint64_t)symbols[fields & mask] << 8 * j;
    store64(out + i, eight);
  }
}

static bool to_ranks(const swzip_node_tree *tree, const uint8_t *symbols, uint32_t count, uint8_t *ranks) {
  bool lacks = false;
  for (uint32_t i = 0; i < count; i++) {
    ranks[i] = tree->rank[symbols[i]];
    lacks |= ranks[i] == SWZIP_NO_RANK;
  }
  return lacks;
}

static uint32_t split(const uint8_t *ranks, uint32_t count, uint8_t pivot, uint8_t *bits, uint8_t *left, uint8_t *right) {
  uint32_t ones = 0, zeros = 0;
  for (uint32_t i = 0; i < count; i += 8) {
    const uint32_t end = count - i < 8 ? count - i : 8;
    unsigned mask = 0;
    for (uint32_t j = 0; j < end; j++) {
      const uint8_t rank = ranks[i + j];
      const unsigned goes = rank >= pivot;
      mask |= goes << j;
      // Where it does not belong the next one comes over it.
      if (right) right[ones] = rank;
      if (left) left[zeros] = rank;
      ones += goes;
      zeros += goes ^ 1;
    }
    *bits++ = (uint8_t)mask;
  }
  return ones;
}

static void flatten(unsigned k, const uint8_t *ranks, uint32_t count, uint8_t first, uint8_t *bits) {
  for (uint32_t i = 0; i < count; i += 8, bits += k) {
    const uint32_t end = count - i < 8 ? count - i : 8;
    uint64_t fields = 0;
    for (uint32_t j = 0; j < end; j++) fields |= (uint64_t)(ranks[i + j] - first) << k * j;
    store64(bits, fields);
  }
}

#include "nodes.h"

bool swzip_nodes_decode_portable(const swzip_node_tree *tree, const uint8_t *bytes, size_t byte_count, uint32_t count,
                                 uint8_t *symbols, uint8_t *room) {
  return nodes_decode(tree, bytes, byte_count, count, symbols, room);
}
uint8_t *swzip_nodes_encode_portable(const swzip_node_tree *tree, const uint8_t *symbols, uint32_t count, uint8_t *out,
                                     uint8_t *room, const swzip_missing *missing) {
  return nodes_encode(tree, symbols, count, out, room, missing);
}
