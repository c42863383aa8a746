// Length-limited Huffman codes from counts.
#include "kernels.h"

// Package-merge (Larmore and Hirschberg 1990): at each of the 11 levels the leaves are merged with pairs of the level
// before; the first 2 m - 2 items of the last level, unpacked, tell how often each leaf is taken: its length.
void swzip_code_lengths(const uint32_t counts[256], uint8_t lengths[256]) {
  uint16_t leaf[256];
  int leaves = 0;
  memset(lengths, 0, 256);
  for (int s = 0; s < 256; s++)
    if (counts[s]) {
      int at = leaves++;
      for (; at && counts[leaf[at - 1]] > counts[s]; at--) leaf[at] = leaf[at - 1];
      leaf[at] = (uint16_t)s;
    }
  if (leaves < 2) {  // a code has two symbols at least
    const int s = leaves ? leaf[0] : 0;
    lengths[s] = lengths[s ? s - 1 : 1] = 1;
    return;
  }
  uint64_t weights[2][512];
  uint8_t is_leaf[SWZIP_CODE_BITS][512];
  int items = 0;
  for (int level = 0; level < SWZIP_CODE_BITS; level++) {
    const uint64_t *const before = weights[level & 1];
    uint64_t *const now = weights[~level & 1];
    const int pairs = items / 2;
    int l = 0, p = 0;
    items = 0;
    while (l < leaves || p < pairs) {
      const uint64_t pair = p < pairs ? before[2 * p] + before[2 * p + 1] : UINT64_MAX;
      const bool take_leaf = l < leaves && counts[leaf[l]] <= pair;
      now[items] = take_leaf ? counts[leaf[l]] : pair;
      is_leaf[level][items++] = take_leaf;
      if (take_leaf) l++;
      else p++;
    }
  }
  int take = 2 * leaves - 2;
  for (int level = SWZIP_CODE_BITS - 1; level >= 0 && take > 0; level--) {
    int taken = 0;
    for (int i = 0; i < take; i++) taken += is_leaf[level][i];
    for (int i = 0; i < taken; i++) lengths[leaf[i]]++;
    take = 2 * (take - taken);
  }
}
