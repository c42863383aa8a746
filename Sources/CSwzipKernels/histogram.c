// How often each byte occurs, and what symbols cost: all in integers, so that every machine decides alike.
#include "kernels.h"

void swzip_histogram_add_portable(const uint8_t *bytes, size_t count, size_t step, uint32_t *counts) {
  // Four tables: neighbouring equal symbols would wait for each other's store.
  uint32_t lanes[4][256] = {{0}};
  for (size_t run = 0; run < count; run += 32 * step) {
    const size_t end = run + 32 < count ? run + 32 : count;
    size_t i = run;
    for (; i + 8 <= end; i += 8) {
      const uint64_t eight = load64(bytes + i);
      lanes[0][eight & 255]++;
      lanes[1][eight >> 8 & 255]++;
      lanes[2][eight >> 16 & 255]++;
      lanes[3][eight >> 24 & 255]++;
      lanes[0][eight >> 32 & 255]++;
      lanes[1][eight >> 40 & 255]++;
      lanes[2][eight >> 48 & 255]++;
      lanes[3][eight >> 56]++;
    }
    for (; i < end; i++) lanes[0][bytes[i]]++;
  }
  for (int s = 0; s < 256; s++) counts[s] += lanes[0][s] + lanes[1][s] + lanes[2][s] + lanes[3][s];
}

void swzip_histograms_add(const uint8_t *bytes, const uint8_t *numbers, size_t count, uint32_t *counts) {
#pragma clang loop unroll_count(8)
  for (size_t i = 0; i < count; i++) counts[256 * numbers[i] + bytes[i]]++;
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
