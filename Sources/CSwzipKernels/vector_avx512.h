// What the AVX-512 files share: for Ice Lake, Zen 4 and later. Each begins with this header, which pushes the target, and
// ends with the pop.
#ifndef SWZIP_VECTOR_AVX512_H
#define SWZIP_VECTOR_AVX512_H
#include <immintrin.h>
#include <stdlib.h>
#include <string.h>
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vbmi2,"             \
                                                   "avx512bitalg,avx512vpopcntdq,gfni,bmi,bmi2,lzcnt,popcnt"))), apply_to = function)
#include "kernels.h"
#define XXH_VECTOR 2  // xxhash.h looks at flags of the compiler, and would not see the target

typedef __m512i vec;
#define LOAD(p) _mm512_loadu_si512((const void *)(p))
#define STORE(p, v) _mm512_storeu_si512((void *)(p), v)
#define LOAD_HALF(p) _mm256_loadu_si256((const __m256i *)(const void *)(p))
#define STORE_HALF(p, v) _mm256_storeu_si256((__m256i *)(void *)(p), v)

// Bytes 0 to 63 in order.
INLINE vec byte_numbers(void) {
  const vec eight = _mm512_set1_epi64(0x0706050403020100), lane = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm512_add_epi8(eight, _mm512_shuffle_epi8(_mm512_slli_epi64(lane, 3), _mm512_set_epi64(
      0x0808080808080808, 0, 0x0808080808080808, 0, 0x0808080808080808, 0, 0x0808080808080808, 0)));
}
#endif
