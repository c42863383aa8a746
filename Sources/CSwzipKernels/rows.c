// Rows sorted by scale: which of four groups each row of a block belongs to, and their symbols in coded order.
#include "kernels.h"

void swzip_rows_group(const uint32_t *sums, uint32_t rows, uint8_t *row_groups) {
  enum { levels = 1024 };
  uint32_t least = UINT32_MAX, most = 0, start[levels + 1] = {0};
  for (uint32_t r = 0; r < rows; r++) {
    least = sums[r] < least ? sums[r] : least;
    most = sums[r] > most ? sums[r] : most;
  }
  const uint64_t range = (uint64_t)most - least + 1;
#define LEVEL(r) ((uint32_t)((uint64_t)(sums[r] - least) * levels / range))
  for (uint32_t r = 0; r < rows; r++) start[LEVEL(r) + 1]++;
  for (int i = 0; i < levels; i++) start[i + 1] += start[i];
  const uint32_t share = (rows + 3) / 4;
  memset(row_groups, 0, (rows + 3) / 4);
  for (uint32_t r = 0; r < rows; r++) {
    const uint32_t group = start[LEVEL(r)]++ / share;
    row_groups[r >> 2] |= (uint8_t)(group << 2 * (r & 3));
  }
}

void swzip_rows_gather(const uint8_t *symbols, uint32_t rows, uint32_t row_length, const uint8_t *row_groups,
                       uint8_t *out, uint32_t *natural_row) {
  for (unsigned group = 0; group < 4; group++)
    for (uint32_t r = 0; r < rows; r++) {
      if ((row_groups[r >> 2] >> 2 * (r & 3) & 3) != group) continue;
      memcpy(out, symbols + (size_t)r * row_length, row_length);
      out += row_length;
      *natural_row++ = r;
    }
}

void swzip_row_sums_portable(const uint8_t *symbols, uint32_t rows, uint32_t row_length, uint32_t *sums) {
  for (uint32_t row = 0; row < rows; row++, symbols += row_length) {
    uint32_t sum = 0;
    for (uint32_t i = 0; i < row_length; i++) sum += symbols[i];
    sums[row] = sum;
  }
}
