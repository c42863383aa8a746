// XXH3 of vectors while they are in registers (xxh3_lanes.h): the eight lanes live in two.
#ifndef SWZIP_XXH3_AVX2_H
#define SWZIP_XXH3_AVX2_H
#include "vector_avx2.h"
#include "xxh3.h"

INLINE vec hash_add(vec lane, vec data, const uint8_t *secret) {
  const vec key = _mm256_xor_si256(data, LOAD(secret));
  const vec product = _mm256_mul_epu32(key, _mm256_srli_epi64(key, 32));
  return _mm256_add_epi64(_mm256_add_epi64(lane, _mm256_shuffle_epi32(data, 0x4E)), product);
}

INLINE vec hash_scramble(vec lane, const uint8_t *secret) {
  const vec prime = _mm256_set1_epi32((int)XXH_PRIME32_1);
  const vec x = _mm256_xor_si256(_mm256_xor_si256(lane, _mm256_srli_epi64(lane, 47)), LOAD(secret));
  return _mm256_add_epi64(_mm256_mul_epu32(x, prime),
                          _mm256_slli_epi64(_mm256_mul_epu32(_mm256_srli_epi64(x, 32), prime), 32));
}

INLINE void hash_stripe(swzip_hash_lanes *hash, const uint8_t *bytes, const uint8_t *secret) {
  STORE(hash->lane, hash_add(LOAD(hash->lane), LOAD(bytes), secret));
  STORE(hash->lane + 4, hash_add(LOAD(hash->lane + 4), LOAD(bytes + 32), secret + 32));
}
INLINE void hash_scramble_all(swzip_hash_lanes *hash) {
  STORE(hash->lane, hash_scramble(LOAD(hash->lane), XXH3_kSecret + 128));
  STORE(hash->lane + 4, hash_scramble(LOAD(hash->lane + 4), XXH3_kSecret + 160));
}

// Puts vector number j of the unit: stores it at `out` and hashes it with the unit's `secret` into `a` or `b`.
#define PUT(j, v)                                                               \
  {                                                                             \
    const vec put = v;                                                          \
    if (streaming) _mm256_stream_si256((vec *)(void *)(out + 32 * (j)), put);   \
    else STORE(out + 32 * (j), put);                                            \
    if ((j) & 1) b = hash_add(b, put, secret + 4 * ((j) - 1) + 32);             \
    else a = hash_add(a, put, secret + 4 * (j));                                \
  }

#include "xxh3_lanes.h"
#endif
