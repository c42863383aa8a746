// AVX2: decode tables.
//
// The table for windows of b bits is composed from shorter ones: the entry of a window is its first symbol followed by
// the entry of the b - l bits left. Whole runs of entries are made by vector adds, a fifth of the definition's time.
// Codes of one bit would put more than six symbols into an entry: the definition serves them.
#if defined(__x86_64__)
#include "vector_avx2.h"
#include "huffman_table.h"

INLINE uint64_t prepend(uint64_t first, uint64_t rest) {
  return first + ((rest >> 8 & 0x00FFFFFFFFFF0000ull) | (rest & 0xFFFF));
}

void swzip_decode_table_build_avx2(const uint8_t *lengths, unsigned shift, swzip_decode_table *table) {
  enum { bits = SWZIP_CODE_BITS };
  swzip_code_order order;
  swzip_code_order_make(lengths, &order);
  const int shortest = order.length[0];
  if (shortest == 1) {
    swzip_decode_table_build_portable(lengths, shift, table);
    return;
  }
  // heads[w]: first symbol of a 6-bit window, where its code has at most 6 bits. parts[(1 << b) + w]: b-bit window w.
  uint64_t heads[64] = {0}, parts[1 << bits];
#define HEAD(i) ((uint64_t)(uint8_t)(order.symbol[i] << shift) << 56 | 0x100 | order.length[i])
  for (int i = 0; i < order.count && order.length[i] <= 6; i++)
    for (unsigned w = order.code[i]; w < 64; w += 1u << order.length[i]) heads[w] = HEAD(i);
  for (int w = 0; w < 1 << shortest; w++) parts[w] = 0;
  for (int b = shortest; b <= 6; b++)
    for (unsigned w = 0; w < 1u << b; w++) {
      const unsigned used = heads[w] & 0xFF;
      parts[(1u << b) | w] = heads[w] && used <= (unsigned)b ? prepend(heads[w], parts[((1u << b) | w) >> used]) : 0;
    }
  for (int b = 7; b <= bits; b++) {
    if (b < bits && b > bits - shortest) continue;  // no code is short enough to leave b bits
    uint64_t *const to = b == bits ? table->entry : parts + (1u << b);
    if (b < bits) memset(to, 0, sizeof(uint64_t) << b);
    int i = 0;
    for (; i < order.count && order.length[i] <= b - 2; i++) {
      const int l = order.length[i];
      const uint64_t head = HEAD(i);
      const vec add = _mm256_set1_epi64x((long long)head), symbols = _mm256_set1_epi64x(0x00FFFFFFFFFF0000ll);
      const uint64_t *const rest = parts + (1u << (b - l));
      uint64_t *at = to + order.code[i];
      const size_t stride = (size_t)1 << l;
      for (size_t k = 0; k < (size_t)1 << (b - l); k += 4, at += 4 * stride) {
        const vec r = LOAD(rest + k);
        const vec e = _mm256_add_epi64(add, _mm256_or_si256(_mm256_and_si256(_mm256_srli_epi64(r, 8), symbols),
                                                            _mm256_and_si256(r, _mm256_set1_epi64x(0xFFFF))));
        at[0] = (uint64_t)_mm256_extract_epi64(e, 0);
        at[stride] = (uint64_t)_mm256_extract_epi64(e, 1);
        at[2 * stride] = (uint64_t)_mm256_extract_epi64(e, 2);
        at[3 * stride] = (uint64_t)_mm256_extract_epi64(e, 3);
      }
    }
    for (; i < order.count && order.length[i] <= b; i++) {
      const int l = order.length[i];
      for (unsigned k = 0; k < 1u << (b - l); k++) to[order.code[i] | k << l] = prepend(HEAD(i), parts[(1u << (b - l)) + k]);
    }
  }
  table->max_count = (uint32_t)(bits / shortest);
}
#pragma clang attribute pop
#endif
