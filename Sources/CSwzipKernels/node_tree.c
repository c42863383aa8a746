// The tree of a code, from its lengths (spec/codecs/nodes.md).
#include "kernels.h"

enum { most_nodes = 511, inner = SWZIP_MOST_FLAT + 1 };

typedef struct {
  int16_t left, right;  // of what is no leaf
  uint16_t leaves;
  uint8_t flat;         // or `inner`
  uint8_t symbol;       // of a leaf
} draft_node;

// Items of one kind, in order: FLAT(k) by k, then INNER.
typedef struct {
  int16_t item[256];
  int count;
} draft_items;

typedef struct {
  draft_node node[most_nodes];
  int nodes;
  draft_items of[inner + 1];  // the items of the level that is worked on
} draft;

static int16_t pair(draft *d, int16_t left, int16_t right, uint8_t flat) {
  d->node[d->nodes] = (draft_node){left, right, (uint16_t)(d->node[left].leaves + d->node[right].leaves), flat, 0};
  return (int16_t)d->nodes++;
}

// Pairs the items of a level, of which there is an even number: neighbours of one size to flat nodes, of the others the first
// with the last. From the largest size on, so that what is made of a smaller one does not come in its way.
static void pair_level(draft *d) {
  int16_t rest[256];
  int count = 0;
  for (int k = 0; k <= inner; k++) {
    const draft_items *const mine = &d->of[k];
    const int alone = k < SWZIP_MOST_FLAT ? mine->count & ~1 : 0;
    for (int i = alone; i < mine->count; i++) rest[count++] = mine->item[i];
  }
  for (int k = SWZIP_MOST_FLAT; k-- > 0;) {
    const draft_items *const mine = &d->of[k];
    draft_items *const made = &d->of[k + 1];
    made->count = mine->count / 2;
    for (int i = 0; i < made->count; i++) made->item[i] = pair(d, mine->item[2 * i], mine->item[2 * i + 1], (uint8_t)(k + 1));
  }
  d->of[0].count = 0;
  d->of[inner].count = count / 2;
  for (int i = 0; i < count / 2; i++) d->of[inner].item[i] = pair(d, rest[i], rest[count - 1 - i], inner);
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
  d.nodes = 0;
  for (int k = 0; k <= inner; k++) d.of[k].count = 0;
  memset(tree, 0, sizeof *tree);
  memset(tree->rank, SWZIP_NO_RANK, sizeof tree->rank);
  uint8_t symbols[SWZIP_CODE_BITS + 1][256];
  int count[SWZIP_CODE_BITS + 1] = {0};
  for (int symbol = 0; symbol < 256; symbol++) symbols[lengths[symbol]][count[lengths[symbol]]++] = (uint8_t)symbol;
  unsigned cheapest = 0;
  for (int length = SWZIP_CODE_BITS; length > 0; length--) {
    draft_items *const leaves = &d.of[0];
    for (; leaves->count < count[length]; leaves->count++) {
      d.node[d.nodes] = (draft_node){0, 0, 1, 0, symbols[length][leaves->count]};
      leaves->item[leaves->count] = (int16_t)d.nodes++;
    }
    if (count[length]) cheapest = symbols[length][0];
    pair_level(&d);
  }
  int root = inner;
  while (!d.of[root].count) root--;
  emit(&d, d.of[root].item[0], shift, tree);
  tree->cheapest = tree->rank[cheapest];
  tree->first = 255;
  for (int symbol = 0; symbol < 256; symbol++)
    if (lengths[symbol]) {
      if (symbol < tree->first) tree->first = (uint8_t)symbol;
      tree->last = (uint8_t)symbol;
    }
}
