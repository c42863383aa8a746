// XXH3 of vectors while they are in registers (xxh3_lanes.h): the eight lanes live in four.
#ifndef SWZIP_XXH3_NEON_H
#define SWZIP_XXH3_NEON_H
#include "vector_neon.h"
#include "xxh3.h"

typedef struct { uint64x2_t pair[4]; } hash_vectors;

INLINE hash_vectors hash_load(const swzip_hash_lanes *hash) {
  return (hash_vectors){{vld1q_u64(hash->lane), vld1q_u64(hash->lane + 2), vld1q_u64(hash->lane + 4), vld1q_u64(hash->lane + 6)}};
}
INLINE void hash_store(swzip_hash_lanes *hash, hash_vectors v) {
  for (int i = 0; i < 4; i++) vst1q_u64(hash->lane + 2 * i, v.pair[i]);
}

// Takes in two vectors that stand at these places of a unit, whose first stripe has `secret`. Their keys are unzipped into lower
// and upper halves, so that both products come of two vectors.
INLINE void hash_add(hash_vectors *hash, vec v, const unsigned place, vec w, const unsigned next, const uint8_t *secret) {
  const vec key_v = veorq_u8(v, LOAD(secret + place / 64 * 8 + place % 64));
  const vec key_w = veorq_u8(w, LOAD(secret + next / 64 * 8 + next % 64));
  const uint32x4_t low = vuzp1q_u32((uint32x4_t)key_v, (uint32x4_t)key_w);
  const uint32x4_t high = vuzp2q_u32((uint32x4_t)key_v, (uint32x4_t)key_w);
  uint64x2_t *const a = &hash->pair[place % 64 / 16], *const b = &hash->pair[next % 64 / 16];
  *a = vmlal_u32(vaddq_u64(*a, (uint64x2_t)vextq_u8(v, v, 8)), vget_low_u32(low), vget_low_u32(high));
  *b = vmlal_high_u32(vaddq_u64(*b, (uint64x2_t)vextq_u8(w, w, 8)), low, high);
}

// Stores them there, too.
INLINE void put(uint8_t *out, vec v, const unsigned place, vec w, const unsigned next, hash_vectors *hash, const uint8_t *secret) {
  STORE(out + place, v);
  STORE(out + next, w);
  hash_add(hash, v, place, w, next, secret);
}

INLINE void hash_scramble(hash_vectors *hash) {
  for (int i = 0; i < 4; i++) {
    const uint64x2_t lane = hash->pair[i], secret = (uint64x2_t)LOAD(XXH3_kSecret + 128 + 16 * i);
    const uint64x2_t x = veorq_u64(veorq_u64(lane, vshrq_n_u64(lane, 47)), secret);
    const uint64x2_t upper = vmull_n_u32(vshrn_n_u64(x, 32), (uint32_t)XXH_PRIME32_1);
    hash->pair[i] = vmlal_n_u32(vshlq_n_u64(upper, 32), vmovn_u64(x), (uint32_t)XXH_PRIME32_1);
  }
}

INLINE void hash_stripe(swzip_hash_lanes *hash, const uint8_t *bytes, const uint8_t *secret) {
  hash_vectors v = hash_load(hash);
  hash_add(&v, LOAD(bytes), 0, LOAD(bytes + 16), 16, secret);
  hash_add(&v, LOAD(bytes + 32), 32, LOAD(bytes + 48), 48, secret);
  hash_store(hash, v);
}
INLINE void hash_scramble_all(swzip_hash_lanes *hash) {
  hash_vectors v = hash_load(hash);
  hash_scramble(&v);
  hash_store(hash, v);
}

#include "xxh3_lanes.h"
#endif
