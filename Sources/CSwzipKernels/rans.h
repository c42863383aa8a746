// The scalar rANS loops, which the vector levels use for what is left.
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

// Adds the symbol to the state. The word is written always and kept where the state is too large: a branch would be guessed
// wrong every few values.
INLINE uint32_t rans_encode_symbol(const swzip_rans_encode_symbol *symbol, uint32_t state, uint8_t **out) {
  const bool writes = state >> 20 >= symbol->frequency;
  store16(*out - 2, (uint16_t)state);
  *out -= writes ? 2 : 0;
  const uint32_t x = writes ? state >> 16 : state;
  const uint32_t quotient = (uint32_t)((unsigned __int128)x * symbol->reciprocal >> 64);
  return x + symbol->start + quotient * symbol->others;
}

// Values `count` down to `to`, a multiple of 32; returns the place of the last word.
INLINE uint8_t *rans_encode_down_to(const uint8_t *symbols, size_t to, size_t count, const uint8_t *numbers,
                                    const swzip_rans_encode_table *tables, uint32_t states[SWZIP_STREAMS],
                                    uint8_t *out) {
  uint32_t x[SWZIP_STREAMS];  // a copy, which no word can overlap
  memcpy(x, states, sizeof x);
  size_t i = count;
  for (; i > to && i % SWZIP_STREAMS; i--) {
    const swzip_rans_encode_table *const table = tables + (numbers ? numbers[i - 1] : 0);
    x[(i - 1) % SWZIP_STREAMS] = rans_encode_symbol(&table->symbol[symbols[i - 1]], x[(i - 1) % SWZIP_STREAMS], &out);
  }
  while (i > to) {
    i -= SWZIP_STREAMS;
#pragma clang loop unroll_count(4)
    for (int k = SWZIP_STREAMS - 1; k >= 0; k--) {
      const swzip_rans_encode_table *const table = tables + (numbers ? numbers[i + (size_t)k] : 0);
      x[k] = rans_encode_symbol(&table->symbol[symbols[i + (size_t)k]], x[k], &out);
    }
  }
  memcpy(states, x, sizeof x);
  return out;
}
#endif
