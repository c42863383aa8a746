// Values from codes and scales by what every processor has (lattice.h), in the default floating-point environment.
#include "lattice.h"

#include "float_environment.h"

void swzip_lattice_values_portable(const swzip_lattice *lattice, const float *entries, uint32_t per_symbol,
                                   const uint8_t *symbols, uint64_t first, uint32_t count, void *out, void *room) {
  lattice_values_by(lattice, entries, per_symbol, symbols, first, count, out, room);
}

void swzip_lattice_values(const swzip_lattice *lattice, const float entries[SWZIP_LATTICE_ENTRIES], uint32_t per_symbol,
                          const uint8_t *symbols, uint64_t first, uint32_t count, void *out, void *room) {
  const uint64_t had = default_environment();
  swzip_kernels()->lattice_values(lattice, entries, per_symbol, symbols, first, count, out, room);
  restore_environment(had);
}

size_t swzip_lattice_room(const swzip_lattice *lattice, uint32_t count) {
  return 2 * sizeof(float) * lattice_row_room(lattice, count);
}

void swzip_lattice_entries(const swzip_lattice_book *book, float entries[SWZIP_LATTICE_ENTRIES]) {
  memset(entries, 0, sizeof(float) * SWZIP_LATTICE_ENTRIES);
  uint32_t symbols = 1;
  for (uint32_t k = 0; k < book->per_symbol; k++) symbols *= book->count;
  for (uint32_t symbol = 0; symbol < symbols; symbol++) {
    uint32_t rest = symbol;
    for (uint32_t k = 0; k < book->per_symbol; k++) {
      entries[book->per_symbol * symbol + k] = book->code[rest % book->count];
      rest /= book->count;
    }
  }
}
