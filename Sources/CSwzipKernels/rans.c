// Static rANS of byte symbols with a table for each value (spec/codecs/rans.md), the part that every level shares, and the
// definition of its decoder.
//
// 32 states of 32 bits take turns: value i belongs to state i % 32. A state x lies in 2^16 to 2^32 - 1 between values. A
// symbol of frequency f (of 4096) that starts at s in the table's slots turns x into (x / f) * 4096 + s + x % f; before,
// if x >= f * 2^20, its low 16 bits are written as a word. Encoding goes from the last value to the first, so that
// decoding reads forward: slot = x % 4096 names the symbol, x = f * (x / 4096) + slot - s, and if x < 2^16 the next word
// comes in. One word a value at most. The 32 states share one stream of words in the order of their turns, which suits
// vectors (and the lanes of a GPU's warp): the words of a turn are handed out by a prefix count.
#include "kernels.h"

#include "rans.h"

// Weight of level q: 64 * 2^((q - 1) / 5), rounded.
const uint32_t swzip_rans_weights[SWZIP_RANS_LEVELS] = {
    0, 64, 74, 84, 97, 111, 128, 147, 169, 194, 223, 256, 294, 338, 388, 446,
    512, 588, 676, 776, 891, 1024, 1176, 1351, 1552, 1783, 2048, 2353, 2702, 3104, 3566, 4096,
    4705, 5405, 6208, 7132, 8192, 9410, 10809, 12417, 14263, 16384, 18820, 21619, 24834, 28526, 32768, 37641,
    43238, 49667, 57052, 65536, 75281, 86475, 99334, 114105, 131072, 150562, 172951, 198668, 228210, 262144, 301124, 345901};

bool swzip_rans_frequencies(const uint8_t levels[256], uint16_t frequencies[256]) {
  // Few symbols occur: eight absent ones are passed at once.
  uint8_t symbols[256];
  uint32_t present = 0;
  uint64_t sum = 0, above_one = 0, above[256];
  for (int first = 0; first < 256; first += 8)
    if (load64(levels + first))
      for (int s = first; s < first + 8; s++) {
        symbols[present] = (uint8_t)s;
        present += levels[s] != 0;
        sum += swzip_rans_weights[levels[s]];
      }
  if (present < 2) return false;
  memset(frequencies, 0, 256 * sizeof *frequencies);
  // Every symbol has one slot; the others go by what its share (in 1/65536 slots) has above one. 256 symbols have 16 slots
  // on average: some have.
  int largest = symbols[0];
  for (uint32_t i = 0; i < present; i++) {
    const int s = symbols[i];
    if (levels[s] > levels[largest]) largest = s;
    const uint64_t share = ((uint64_t)swzip_rans_weights[levels[s]] << 28) / sum;
    above[i] = share > 65536 ? share - 65536 : 0;
    above_one += above[i];
  }
  uint32_t left = SWZIP_RANS_SLOTS - present;
  for (uint32_t i = 0; i < present; i++) {
    const uint32_t more = (uint32_t)(above[i] * (SWZIP_RANS_SLOTS - present) / above_one);
    frequencies[symbols[i]] = (uint16_t)(1 + more);
    left -= more;
  }
  frequencies[largest] = (uint16_t)(frequencies[largest] + left);
  return true;
}

void swzip_rans_table_build(const uint16_t frequencies[256], unsigned shift, swzip_rans_table *table) {
  uint32_t *entry = table->entry;
  for (unsigned s = 0; s < 256; s++) {
    const uint32_t frequency = frequencies[s], first = frequency | (s << shift & 255) << 24;
    for (uint32_t i = 0; i < frequency; i++) entry[i] = first + (i << 12);
    entry += frequency;
  }
}

void swzip_rans_states_begin(uint32_t states[SWZIP_STREAMS]) {
  for (int i = 0; i < SWZIP_STREAMS; i++) states[i] = SWZIP_RANS_LOW;
}

void swzip_rans_encode_table_build(const uint16_t frequencies[256], swzip_rans_encode_table *table) {
  uint32_t start = 0;
  for (int s = 0; s < 256; s++) {
    const uint32_t f = frequencies[s];
    // Rounded up, 2^64 / f divides every state exactly: what is too much stays below 2^32 * f / 2^64. For f = 1 the quotient
    // comes out one too small, which the start makes up for.
    table->symbol[s] = (swzip_rans_encode_symbol){
        .reciprocal = f < 2 ? UINT64_MAX : UINT64_MAX / f + 1,
        .frequency = f,
        .start = (uint16_t)(f == 1 ? start + SWZIP_RANS_SLOTS - 1 : start),
        .others = (uint16_t)(SWZIP_RANS_SLOTS - f)};
    start += f;
  }
}

size_t swzip_rans_encode_portable(const uint8_t *symbols, size_t count, const uint8_t *numbers,
                                  const swzip_rans_encode_table *tables, uint32_t *states, uint16_t *end) {
  uint8_t *const last = (uint8_t *)end;
  const uint8_t *const out = numbers ? rans_encode_down_to(symbols, 0, count, numbers, tables, states, last)
                                     : rans_encode_down_to(symbols, 0, count, NULL, tables, states, last);
  return (size_t)(last - out) / 2;
}

bool swzip_rans_decode_portable(const uint8_t *words, size_t word_count, const uint8_t *states, size_t count,
                                const uint8_t *numbers, const swzip_rans_table *tables, uint8_t *symbols) {
  uint32_t x[SWZIP_STREAMS];
  for (int i = 0; i < SWZIP_STREAMS; i++) x[i] = load32(states + 4 * i);
  size_t at = 0;
  return rans_decode_from(words, word_count, x, 0, count, numbers, tables, symbols, &at) &&
         rans_is_finished(x, at, word_count);
}

void swzip_rans_numbers_portable(const uint8_t *row_classes, size_t rows, const uint8_t *columns, size_t row_length,
                                 const uint8_t *map, uint8_t *numbers) {
  for (size_t row = 0; row < rows; row++, numbers += row_length) {
    if (columns) for (size_t j = 0; j < row_length; j++) numbers[j] = map[row_classes[row] + columns[j]];
    else memset(numbers, map[row_classes[row]], row_length);
  }
}
