// The scalar rANS loop, which the vector levels use for what is left.
#ifndef SWZIP_RANS_H
#define SWZIP_RANS_H
#include "kernels.h"

// Values `from` (a multiple of 32) to `count`; `*at`: words read. A word past the end reads as 0: the states then do not
// end as they should.
INLINE bool rans_decode_from(const uint8_t *words, size_t word_count, uint32_t x[SWZIP_STREAMS], size_t from,
                             size_t count, const uint8_t *numbers, const swzip_rans_table *tables, uint8_t *symbols,
                             size_t *at) {
  size_t next = *at;
  for (size_t i = from; i < count; i++) {
    const uint32_t state = x[i % SWZIP_STREAMS];
    const uint32_t entry = tables[numbers ? numbers[i] : 0].entry[state % SWZIP_RANS_SLOTS];
    uint32_t y = (entry & 0xFFF) * (state / SWZIP_RANS_SLOTS) + (entry >> 12 & 0xFFF);
    symbols[i] = (uint8_t)(entry >> 24);
    if (y < SWZIP_RANS_LOW) {
      y = y << 16 | (next < word_count ? load16(words + 2 * next) : 0);
      next++;
    }
    x[i % SWZIP_STREAMS] = y;
  }
  *at = next;
  return next <= word_count;
}

// Decoding ends where encoding began: every state at its lowest value, every word read.
INLINE bool rans_is_finished(const uint32_t x[SWZIP_STREAMS], size_t at, size_t word_count) {
  uint32_t differs = at != word_count;
  for (int i = 0; i < SWZIP_STREAMS; i++) differs |= x[i] ^ SWZIP_RANS_LOW;
  return differs == 0;
}
#endif
