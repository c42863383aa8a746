// The tree of a code, from its lengths (spec/codecs/nodes.md).
#include "kernels.h"

enum { most_nodes = 511, inner = SWZIP_MOST_FLAT + 1 };

typedef struct {
  int16_t left, right;  // of what is no leaf
  uint16_t leaves;
  uint8_t flat;         // or `inner`
  uint8_t symbol;       // of a leaf
} draft_node;

typedef struct {
  draft_node node[most_nodes];
  int16_t item[256];  // of the level that is worked on
  int nodes, items;
} draft;

static int16_t pair(draft *d, int16_t left, int16_t right, uint8_t flat) {
  d->node[d->nodes] = (draft_node){left, right, (uint16_t)(d->node[left].leaves + d->node[right].leaves), flat, 0};
  return (int16_t)d->nodes++;
}

// Pairs the items of a level, of which there is an even number: neighbours of one size to flat nodes, of the others the first
// with the last.
static void pair_level(draft *d) {
  int16_t sorted[256], rest[256];
  int count = 0, left_over = 0, made = 0;
  for (int k = 0; k <= inner; k++)
    for (int i = 0; i < d->items; i++)
      if (d->node[d->item[i]].flat == k) sorted[count++] = d->item[i];
  for (int i = 0; i < count;) {
    const uint8_t flat = d->node[sorted[i]].flat;
    if (flat < SWZIP_MOST_FLAT && i + 1 < count && d->node[sorted[i + 1]].flat == flat) {
      d->item[made++] = pair(d, sorted[i], sorted[i + 1], flat + 1);
      i += 2;
    } else {
      rest[left_over++] = sorted[i++];
    }
  }
  for (int i = 0; i < left_over / 2; i++) d->item[made++] = pair(d, rest[i], rest[left_over - 1 - i], inner);
  d->items = made;
}

// Numbers the leaves below a node from left to right.
static void rank_leaves(const draft *d, int at, unsigned shift, swzip_node_tree *tree) {
  const draft_node *const node = &d->node[at];
  if (node->leaves > 1) {
    rank_leaves(d, node->left, shift, tree);
    rank_leaves(d, node->right, shift, tree);
  } else {
    tree->symbol[tree->leaves] = (uint8_t)(node->symbol << shift);
    tree->rank[node->symbol] = (uint8_t)tree->leaves++;
  }
}

static void emit(const draft *d, int at, unsigned shift, swzip_node_tree *tree) {
  const draft_node *const node = &d->node[at];
  swzip_node *const to = &tree->node[tree->nodes++];
  *to = (swzip_node){0, node->leaves, node->flat, (uint8_t)tree->leaves};
  if (node->flat < inner) {
    rank_leaves(d, at, shift, tree);
  } else {
    to->flat = 1;  // a bit a value
    emit(d, node->left, shift, tree);
    to->right = tree->nodes;
    emit(d, node->right, shift, tree);
  }
}

void swzip_node_tree_build(const uint8_t lengths[256], unsigned shift, swzip_node_tree *tree) {
  draft d;
  d.nodes = d.items = 0;
  memset(tree, 0, sizeof *tree);
  memset(tree->rank, SWZIP_NO_RANK, sizeof tree->rank);
  unsigned cheapest = 0;
  for (int length = SWZIP_CODE_BITS; length > 0; length--) {
    for (int symbol = 0; symbol < 256; symbol++)
      if (lengths[symbol] == length) {
        d.node[d.nodes] = (draft_node){0, 0, 1, 0, (uint8_t)symbol};
        d.item[d.items++] = (int16_t)d.nodes++;
        if (!lengths[cheapest] || lengths[cheapest] > length) cheapest = (unsigned)symbol;
      }
    pair_level(&d);
  }
  emit(&d, d.item[0], shift, tree);
  tree->cheapest = tree->rank[cheapest];
  tree->first = 255;
  for (int symbol = 0; symbol < 256; symbol++)
    if (lengths[symbol]) {
      if (symbol < tree->first) tree->first = (uint8_t)symbol;
      tree->last = (uint8_t)symbol;
    }
}
