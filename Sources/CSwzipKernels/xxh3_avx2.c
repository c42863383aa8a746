// XXH3 by the library's header, inlined for AVX2 (the shared library of a distribution runs the baseline: 2.5 x slower).
#if defined(__x86_64__)
#include <immintrin.h>
#include <stdlib.h>
#include <string.h>
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#define XXH_VECTOR 2
#define XXH_INLINE_ALL
#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>

#include "xxh3.h"

uint64_t swzip_xxh3_64_avx2(const void *bytes, size_t byte_count, uint64_t seed) {
  return seed == 0 ? XXH3_64bits(bytes, byte_count) : XXH3_64bits_withSeed(bytes, byte_count, seed);
}

void swzip_xxh3_128_add_avx2(void *state, const void *bytes, size_t byte_count) {
  XXH3_128bits_update(state, bytes, byte_count);
}

#pragma clang attribute pop
#endif
