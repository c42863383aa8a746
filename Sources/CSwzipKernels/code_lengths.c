// Length-limited Huffman codes from counts, and what symbols cost: all in integers, so that every machine decides alike.
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

// 64 log2(1 + i / 256), rounded
static const uint8_t log2_table[256] = {
    0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 4, 4, 4, 5, 5, 5, 6, 6, 6, 7, 7, 7, 8, 8, 8, 9, 9, 9, 10, 10, 10, 11,
    11, 11, 12, 12, 12, 12, 13, 13, 13, 14, 14, 14, 15, 15, 15, 16, 16, 16, 16, 17, 17, 17, 18, 18, 18, 19, 19, 19, 19, 20, 20, 20,
    21, 21, 21, 21, 22, 22, 22, 23, 23, 23, 23, 24, 24, 24, 25, 25, 25, 25, 26, 26, 26, 26, 27, 27, 27, 28, 28, 28, 28, 29, 29, 29,
    29, 30, 30, 30, 30, 31, 31, 31, 31, 32, 32, 32, 32, 33, 33, 33, 34, 34, 34, 34, 35, 35, 35, 35, 35, 36, 36, 36, 36, 37, 37, 37,
    37, 38, 38, 38, 38, 39, 39, 39, 39, 40, 40, 40, 40, 41, 41, 41, 41, 41, 42, 42, 42, 42, 43, 43, 43, 43, 43, 44, 44, 44, 44, 45,
    45, 45, 45, 45, 46, 46, 46, 46, 47, 47, 47, 47, 47, 48, 48, 48, 48, 49, 49, 49, 49, 49, 50, 50, 50, 50, 50, 51, 51, 51, 51, 51,
    52, 52, 52, 52, 52, 53, 53, 53, 53, 54, 54, 54, 54, 54, 55, 55, 55, 55, 55, 56, 56, 56, 56, 56, 56, 57, 57, 57, 57, 57, 58, 58,
    58, 58, 58, 59, 59, 59, 59, 59, 60, 60, 60, 60, 60, 61, 61, 61, 61, 61, 61, 62, 62, 62, 62, 62, 63, 63, 63, 63, 63, 63, 64, 64};

void swzip_symbol_costs(const uint32_t counts[256], uint16_t costs[256]) {
  uint64_t total = 1;
  for (int s = 0; s < 256; s++) total += counts[s];
  for (int s = 0; s < 256; s++) {
    if (!counts[s]) {
      costs[s] = 64 * 20;
      continue;
    }
    const uint64_t ratio = (total << 16) / counts[s];  // at least 2^16: eight bits below the leading one are there
    const int top = 63 - __builtin_clzll(ratio);
    costs[s] = (uint16_t)((top - 16) * 64 + log2_table[ratio >> (top - 8) & 255]);
  }
}

uint64_t swzip_histogram_cost(const uint32_t counts[256], const uint16_t costs[256], int first, int last) {
  uint64_t sum = 0;
  for (int s = first; s <= last; s++) sum += (uint64_t)counts[s] * costs[s];
  return sum;
}

uint64_t swzip_histogram_information(const uint32_t counts[256]) {
  uint16_t costs[256];
  swzip_symbol_costs(counts, costs);
  return swzip_histogram_cost(counts, costs, 0, 255);
}
