// AVX2: values from codes and scales (lattice.h), eight a vector.
#if defined(__x86_64__)
#include "vector_avx2.h"
#include "lattice.h"

void swzip_lattice_values_avx2(const swzip_lattice *lattice, const float *entries, uint32_t per_symbol,
                               const uint8_t *symbols, uint64_t first, uint32_t count, void *out, void *room) {
  lattice_values_by(lattice, entries, per_symbol, symbols, first, count, out, room);
}
#pragma clang attribute pop
#endif
