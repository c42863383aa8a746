// What the AVX-512 files share. Each begins with this header, which pushes the target, and ends with the pop.
#ifndef SWZIP_AVX512_H
#define SWZIP_AVX512_H
#include <immintrin.h>
#include <stdlib.h>
#include <string.h>
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vbmi2,"             \
                                                   "avx512bitalg,gfni,bmi,bmi2,lzcnt,popcnt"))), apply_to = function)
#include "float.h"
#include "kernels.h"

typedef __m512i vec;
#define LOAD(p) _mm512_loadu_si512((const void *)(p))
#define STORE(p, v) _mm512_storeu_si512((void *)(p), v)
#define STORE_HALF(p, v) _mm256_storeu_si256((__m256i *)(void *)(p), v)
#endif
