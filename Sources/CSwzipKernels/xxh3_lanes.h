// XXH3 of vectors while they are in registers: what the levels share.
//
// XXH3 of more than 240 bytes works on stripes of 64 bytes, in eight 64-bit lanes; stripe i of each 1024 bytes uses the secret
// at 8 i; after 16 stripes the lanes are scrambled; the last stripe overlaps backwards and has a secret of its own.
//
// The including file defines, for lanes in memory:
//   hash_stripe(hash, bytes, secret)  takes 64 bytes in
//   hash_scramble_all(hash)
#ifndef SWZIP_XXH3_LANES_H
#define SWZIP_XXH3_LANES_H
#include "xxh3.h"

INLINE swzip_hash_lanes hash_begin(void) {
  return (swzip_hash_lanes){{XXH_PRIME32_3, XXH_PRIME64_1, XXH_PRIME64_2, XXH_PRIME64_3, XXH_PRIME64_4, XXH_PRIME32_2,
                             XXH_PRIME64_5, XXH_PRIME32_1}};
}

INLINE uint64_t hash_end(const swzip_hash_lanes *hash, size_t byte_count) {
  _Alignas(64) uint64_t lanes[8];
  memcpy(lanes, hash->lane, sizeof lanes);
  return XXH3_mergeAccs(lanes, XXH3_kSecret + XXH_SECRET_MERGEACCS_START, (xxh_u64)byte_count * XXH_PRIME64_1);
}

// The stripes of one unit that went through a buffer, in which the 64 bytes before the unit precede it.
static void hash_buffered(swzip_hash_lanes *hash, const uint8_t *bytes, size_t byte_count, size_t unit_stripes, uint32_t unit,
                          bool last) {
  const size_t first = unit * unit_stripes & 15;
  const size_t stripes = last ? (byte_count - 1) / 64 : unit_stripes;
  swzip_hash_lanes lanes = *hash;
  for (size_t i = 0; i < stripes; i++) hash_stripe(&lanes, bytes + 64 * i, XXH3_kSecret + 8 * (first + i));
  if (last) hash_stripe(&lanes, bytes + byte_count - 64, XXH3_kSecret + 128 - XXH_SECRET_LASTACC_START);
  else if (((first + stripes) & 15) == 0) hash_scramble_all(&lanes);
  *hash = lanes;
}
#endif
