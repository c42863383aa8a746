// AVX2: scales of groups (lattice_fit.h).
#if defined(__x86_64__)
#include "vector_avx2.h"
#include "lattice_fit.h"

bool swzip_lattice_fit_group_avx2(swzip_lattice_type type, const swzip_lattice_search *search, const swzip_lattice_tops *tops,
                                  const void *values, uint32_t count, size_t stride, uint32_t length, uint32_t hint, bool exactly,
                                  swzip_lattice_fit *fit) {
  return lattice_fit_group_by(type, search, tops, values, count, stride, length, hint, exactly, fit);
}
#pragma clang attribute pop
#endif
