// Codes symbols node by node (spec/codecs/nodes.md), for each level.
//
// Why it is fast: instead of one symbol after the other, whole nodes are worked on. The bits of an inner node say for each of its
// symbols whether it comes from the left or from the right; going from the leaves to the root, the lists of two children are
// merged to that of their parent, a vector of symbols by one instruction that expands by a mask. Nothing waits for a
// look-up, and symbols of a flat node are fields of one size. On average a symbol takes part in two to three merges.
//
// Bounds: the root's number of symbols is known, and each child's is a count of bits, so that all numbers are right whatever the
// bits are; one comparison a node keeps its bits inside the input. Loops run over whole vectors: they read up to 64 bytes
// behind the input and the lists, and write up to 63 behind a list. Lists begin at multiples of 64, so that no store
// crosses a cache line: at each of 11 levels that may take 63 bytes more than there are symbols (SWZIP_NODE_SLACK).
//
// The including file defines what a level has of its own:
//   count_ones(bits, count)                      of the first `count` bits
//   merge(bits, count, left, right, out)         and the same where one child is a leaf:
//   merge_left(bits, count, symbol, right, out), merge_right(bits, count, left, symbol, out)
//   unflatten(k, bits, count, symbols, out)      fields of k bits to symbols
//   to_ranks(tree, symbols, count, ranks)        true if one of them has none (SWZIP_NO_RANK)
//   split(ranks, count, pivot, bits, left, right) ranks below `pivot` to `left`, which may be `ranks`, others to `right`, either
//                                                 NULL where it is not wanted; the number of the latter
//   flatten(k, ranks, count, first, bits)        the reverse of unflatten
#ifndef SWZIP_NODES_H
#define SWZIP_NODES_H
#include "kernels.h"

typedef struct {
  const uint8_t *bits;
  uint32_t count;
} node_place;

INLINE size_t node_bytes(const swzip_node *node, uint32_t count) { return ((size_t)count * node->flat + 7) / 8; }
INLINE uint32_t whole_vectors(uint32_t count) { return (count + 63) & ~63u; }

// Where the bits of each node are and how many symbols it has. False unless they are `byte_count` bytes.
INLINE bool place_nodes(const swzip_node_tree *tree, const uint8_t *bytes, size_t byte_count, uint32_t count,
                        node_place *place) {
  place[0].count = count;
  for (int i = 0; i < tree->nodes; i++) {
    const swzip_node *const node = &tree->node[i];
    const uint32_t mine = place[i].count;
    const size_t used = node_bytes(node, mine);
    if (used > byte_count) return false;
    place[i].bits = bytes;
    bytes += used;
    byte_count -= used;
    if (node->right) {
      const uint32_t ones = count_ones(place[i].bits, mine);
      place[i + 1].count = mine - ones;
      place[node->right].count = ones;
    }
  }
  return byte_count == 0;
}

// What follows a list is wanted next as a rule: each node has as many bytes fetched as it takes, `ahead` bytes further on.
INLINE void fetch(const uint8_t *bytes, size_t ahead, size_t byte_count) {
  for (size_t at = 0; at < byte_count; at += 64) __builtin_prefetch((const void *)((uintptr_t)bytes + ahead + at), 0, 2);
}

// The list of a node goes to `out`, those of its children to `b`, theirs to `a`, and so on in turn: a list is dead when that of
// its parent has been written.
static void decode_node(const swzip_node_tree *tree, const node_place *place, size_t ahead, int i, uint8_t *out, uint8_t *a,
                        uint8_t *b) {
  const swzip_node *const node = &tree->node[i], *const left = node + 1, *const right = &tree->node[node->right];
  const uint8_t *const bits = place[i].bits;
  const uint32_t count = place[i].count;
  if (!count) return;
  fetch(bits, ahead, node_bytes(node, count));
  if (!node->right) return unflatten(node->flat, bits, count, tree->symbol + node->first, out);
  uint8_t *const second = b + whole_vectors(place[i + 1].count);
  if (left->leaves > 1) decode_node(tree, place, ahead, i + 1, b, b, a);
  if (right->leaves > 1) decode_node(tree, place, ahead, node->right, second, second, a + (second - b));
  if (left->leaves == 1) {
    merge_left(bits, count, tree->symbol[left->first], second, out);
  } else if (right->leaves == 1) {
    merge_right(bits, count, b, tree->symbol[right->first], out);
  } else {
    merge(bits, count, b, second, out);
  }
}

INLINE bool nodes_decode(const swzip_node_tree *tree, const uint8_t *bytes, size_t byte_count, uint32_t count,
                         uint8_t *symbols, uint8_t *room) {
  node_place place[sizeof tree->node / sizeof tree->node[0]];
  if (!place_nodes(tree, bytes, byte_count, count, place)) return false;
  decode_node(tree, place, byte_count, 0, symbols, room, room + SWZIP_NODE_ROOM(count));
  return true;
}

// The ranks at `list` are split where they lie; those that go right go to `other`, behind which the left ones may use what is
// left, and afterwards the right ones all of `list`.
static uint8_t *encode_node(const swzip_node_tree *tree, int i, uint8_t *list, uint32_t count, uint8_t *out, uint8_t *other) {
  const swzip_node *const node = &tree->node[i], *const left = node + 1, *const right = &tree->node[node->right];
  uint8_t *const bits = out;
  out += node_bytes(node, count);
  if (!count) return out;
  if (!node->right) {
    if (node->flat) flatten(node->flat, list, count, node->first, bits);
    return out;
  }
  const bool splits_left = left->leaves > 1, splits_right = right->leaves > 1;
  const uint32_t ones = split(list, count, right->first, bits, splits_left ? list : NULL, splits_right ? other : NULL);
  if (splits_left) out = encode_node(tree, i + 1, list, count - ones, out, splits_right ? other + ones : other);
  if (splits_right) out = encode_node(tree, node->right, other, ones, out, list);
  return out;
}

// Ranks for those that have none, which are few: eight at a time are passed.
static NOINLINE void mend_ranks(const swzip_node_tree *tree, uint8_t *ranks, uint32_t count, const swzip_missing *missing) {
  for (uint32_t i = 0; i < count; i += 8) {
    const uint64_t turned = ~load64(ranks + i);  // a byte of 255 is zero
    if (!((turned - 0x0101010101010101) & ~turned & 0x8080808080808080)) continue;
    for (uint32_t j = i; j < i + 8 && j < count; j++)
      if (ranks[j] == SWZIP_NO_RANK) {
        ranks[j] = tree->cheapest;
        if (*missing->count < missing->capacity) missing->position[*missing->count] = missing->first + j;
        (*missing->count)++;
      }
  }
}

INLINE uint8_t *nodes_encode(const swzip_node_tree *tree, const uint8_t *symbols, uint32_t count, uint8_t *out,
                             uint8_t *room, const swzip_missing *missing) {
  if (to_ranks(tree, symbols, count, room) && tree->leaves < 256) mend_ranks(tree, room, count, missing);
  return encode_node(tree, 0, room, count, out, room + SWZIP_NODE_ROOM(count));
}
#endif
