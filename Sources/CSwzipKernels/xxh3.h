// XXH3 by the library's header, inlined: a distribution's shared library runs the baseline, which AVX2 is 2.5 x as fast as.
#ifndef SWZIP_XXH3_H
#define SWZIP_XXH3_H
#define XXH_INLINE_ALL
#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>

#include "kernels.h"

// The eight accumulators.
typedef struct { uint64_t lane[8]; } swzip_hash_lanes;

INLINE uint64_t xxh3_64(const void *bytes, size_t byte_count, uint64_t seed) {
  return seed == 0 ? XXH3_64bits(bytes, byte_count) : XXH3_64bits_withSeed(bytes, byte_count, seed);
}
#endif
