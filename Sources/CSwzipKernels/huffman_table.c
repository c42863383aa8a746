// Tables of the canonical Huffman code: codes in order, the plain decode table, the encode table.
#include "huffman_table.h"

void swzip_code_order_make(const uint8_t lengths[256], swzip_code_order *order) {
  unsigned counts[SWZIP_CODE_BITS + 1] = {0}, next[SWZIP_CODE_BITS + 1], at[SWZIP_CODE_BITS + 1];
  // Few symbols occur: eight absent ones are passed at once.
  uint8_t present[256];
  int symbols = 0;
  for (int s = 0; s < 256; s += 8)
    if (load64(lengths + s))
      for (int k = s; k < s + 8; k++) {
        present[symbols] = (uint8_t)k;
        symbols += lengths[k] != 0;
        counts[lengths[k]]++;
      }
  counts[0] = 0;
  unsigned code = 0, first = 0;
  for (int l = 1; l <= SWZIP_CODE_BITS; l++) {
    code = (code + counts[l - 1]) << 1;
    next[l] = code;
    at[l] = first;
    first += counts[l];
  }
  order->count = (int)first;
  for (int k = 0; k < symbols; k++) {
    const unsigned s = present[k], l = lengths[s];
    const unsigned i = at[l]++;
    order->symbol[i] = (uint8_t)s;
    order->length[i] = (uint8_t)l;
    order->code[i] = (uint16_t)(__builtin_bitreverse16((uint16_t)next[l]++) >> (16 - l));
  }
}

// The definition: for each window, decode symbols while a whole code is left, six at most.
void swzip_decode_table_build_portable(const uint8_t lengths[256], unsigned shift, swzip_decode_table *table) {
  enum { size = 1 << SWZIP_CODE_BITS };
  swzip_code_order order;
  uint8_t symbol[size], length[size];
  swzip_code_order_make(lengths, &order);
  for (int i = 0; i < order.count; i++)
    for (unsigned w = order.code[i]; w < size; w += 1u << order.length[i]) {
      symbol[w] = (uint8_t)(order.symbol[i] << shift);
      length[w] = order.length[i];
    }
  uint32_t most = 1;
  for (unsigned w = 0; w < size; w++) {
    unsigned bits = w, left = SWZIP_CODE_BITS, used = 0, n = 0;
    uint64_t symbols = 0;
    while (n < 6 && length[bits] <= left) {
      const unsigned l = length[bits];
      symbols |= (uint64_t)symbol[bits] << (56 - 8 * n++);
      bits >>= l;
      left -= l;
      used += l;
    }
    table->entry[w] = symbols | (uint64_t)n << 8 | used;
    if (n > most) most = n;
  }
  table->max_count = most;
}

void swzip_decode_table_build_single(const uint8_t lengths[256], unsigned shift, swzip_decode_table *table) {
  swzip_code_order order;
  swzip_code_order_make(lengths, &order);
  const unsigned size = 1u << order.length[order.count - 1];
  for (int i = 0; i < order.count; i++) {
    const uint64_t entry = (uint64_t)(uint8_t)(order.symbol[i] << shift) << 56 | 0x100 | order.length[i];
    for (unsigned w = order.code[i]; w < size; w += 1u << order.length[i]) table->entry[w] = entry;
  }
  // The bits behind the longest code do not count.
  for (unsigned w = size; w < 1u << SWZIP_CODE_BITS; w *= 2) memcpy(table->entry + w, table->entry, sizeof(uint64_t) * w);
  table->max_count = 1;
}

void swzip_encode_table_build(const uint8_t lengths[256], const uint32_t counts[256], swzip_encode_table *table) {
  swzip_code_order order;
  swzip_code_order_make(lengths, &order);
  memset(table->code, 0, sizeof table->code);
  memcpy(table->length, lengths, 256);
  for (int i = 0; i < order.count; i++) table->code[order.symbol[i]] = order.code[i];
  table->cheapest = order.symbol[0];
  // The vector encoder looks at 32 neighbouring symbols: those that hold most of the counts.
  uint64_t sum = 0, best;
  for (int s = 0; s < 32; s++) sum += counts[s];
  best = sum;
  table->first = 0;
  for (int first = 1; first <= 224; first++) {
    sum += counts[first + 31];
    sum -= counts[first - 1];
    if (sum > best) best = sum, table->first = (uint8_t)first;
  }
  for (int i = 0; i < 32; i++) {
    const int s = table->first + i;
    table->low[i] = (uint8_t)table->code[s];
    table->high[i] = (uint8_t)((table->code[s] >> 8 & 7) << 4 | table->length[s]);
  }
}
