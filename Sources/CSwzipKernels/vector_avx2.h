// What the AVX2 files share. Each begins with this header, which pushes the target, and ends with the pop.
#ifndef SWZIP_VECTOR_AVX2_H
#define SWZIP_VECTOR_AVX2_H
#include <immintrin.h>
#include <stdlib.h>
#include <string.h>
#pragma clang attribute push(__attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt"))), apply_to = function)
#include "kernels.h"
#define XXH_VECTOR 2  // xxhash.h looks at flags of the compiler, and would not see the target

typedef __m256i vec;
#define LOAD(p) _mm256_loadu_si256((const vec *)(const void *)(p))
#define STORE(p, v) _mm256_storeu_si256((vec *)(void *)(p), v)
#define LANES(v) _mm256_permute4x64_epi64(v, 0xD8)  // quarters 0 2 1 3: undoes what pack and unpack do to lanes

// For each set of eight lanes: the rank of each among them, a byte a lane.
extern const uint64_t swzip_lane_ranks[256] __attribute__((visibility("hidden")));
#endif
