// XXH3 for AVX2.
#if defined(__x86_64__)
#include "vector_avx2.h"
#include "xxh3.h"

uint64_t swzip_xxh3_64_avx2(const void *bytes, size_t byte_count, uint64_t seed) {
  return xxh3_64(bytes, byte_count, seed);
}

void swzip_xxh3_128_add_avx2(void *state, const void *bytes, size_t byte_count) {
  XXH3_128bits_update(state, bytes, byte_count);
}
#pragma clang attribute pop
#endif
