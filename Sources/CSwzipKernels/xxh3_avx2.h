// XXH3 of vectors while they are in registers.
//
// XXH3 of more than 240 bytes works on stripes of 64 bytes: eight 64-bit lanes here live in two vectors; stripe i of each
// 1024 bytes uses the secret at 8 i; after 16 stripes the lanes are scrambled; the last stripe overlaps backwards and has
// a secret of its own.
#ifndef SWZIP_XXH3_AVX2_H
#define SWZIP_XXH3_AVX2_H
#include "vector_avx2.h"
#include "xxh3.h"

INLINE swzip_hash_lanes hash_begin(void) {
  return (swzip_hash_lanes){{XXH_PRIME32_3, XXH_PRIME64_1, XXH_PRIME64_2, XXH_PRIME64_3, XXH_PRIME64_4, XXH_PRIME32_2,
                             XXH_PRIME64_5, XXH_PRIME32_1}};
}

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

INLINE uint64_t hash_end(const swzip_hash_lanes *hash, size_t byte_count) {
  _Alignas(64) uint64_t lanes[8];
  memcpy(lanes, hash->lane, sizeof lanes);
  return XXH3_mergeAccs(lanes, XXH3_kSecret + XXH_SECRET_MERGEACCS_START, (xxh_u64)byte_count * XXH_PRIME64_1);
}

// The stripes of one unit that went through a buffer. `before`: 64 bytes precede `bytes` in memory.
static void hash_buffered(swzip_hash_lanes *hash, const uint8_t *bytes, size_t byte_count, size_t unit_stripes, uint32_t unit,
                          bool last) {
  const size_t first = unit * unit_stripes & 15;
  const size_t stripes = last ? (byte_count - 1) / 64 : unit_stripes;
  vec a = LOAD(hash->lane), b = LOAD(hash->lane + 4);
  for (size_t i = 0; i < stripes; i++) {
    a = hash_add(a, LOAD(bytes + 64 * i), XXH3_kSecret + 8 * (first + i));
    b = hash_add(b, LOAD(bytes + 64 * i + 32), XXH3_kSecret + 8 * (first + i) + 32);
  }
  if (last) {
    const uint8_t *const end = bytes + byte_count - 64, *const secret = XXH3_kSecret + 128 - XXH_SECRET_LASTACC_START;
    a = hash_add(a, LOAD(end), secret);
    b = hash_add(b, LOAD(end + 32), secret + 32);
  } else if (((first + stripes) & 15) == 0) {
    a = hash_scramble(a, XXH3_kSecret + 128);
    b = hash_scramble(b, XXH3_kSecret + 160);
  }
  STORE(hash->lane, a);
  STORE(hash->lane + 4, b);
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
#endif
