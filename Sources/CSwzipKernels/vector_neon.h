// What the NEON files share.
#ifndef SWZIP_VECTOR_NEON_H
#define SWZIP_VECTOR_NEON_H
#include <arm_neon.h>
#include <string.h>

#include "kernels.h"

typedef uint8x16_t vec;
#define LOAD(p) vld1q_u8(p)
#define STORE(p, v) vst1q_u8(p, v)
#define LOAD_16(p) ((uint16x8_t)LOAD(p))
#define UNROLL _Pragma("clang loop unroll(full)")

INLINE vec byte_numbers(void) { return vcombine_u8(vcreate_u8(0x0706050403020100), vcreate_u8(0x0F0E0D0C0B0A0908)); }

// Bit i is set where byte i of four vectors is not zero; such a byte has all bits.
INLINE uint64_t mask_of(vec a, vec b, vec c, vec d) {
  const vec bit = (vec)vdupq_n_u64(0x8040201008040201);
  const vec ab = vpaddq_u8(vandq_u8(a, bit), vandq_u8(b, bit)), cd = vpaddq_u8(vandq_u8(c, bit), vandq_u8(d, bit));
  const vec abcd = vpaddq_u8(ab, cd);
  return vgetq_lane_u64((uint64x2_t)vpaddq_u8(abcd, abcd), 0);
}
// Byte j: the bits set in bytes 0 to j.
INLINE uint64_t running_ones(uint64_t mask) {
  return vget_lane_u64(vreinterpret_u64_u8(vcnt_u8(vcreate_u8(mask))), 0) * 0x0101010101010101;
}

// For each mask of eight: the numbers of the clear bits in order, and those of the set ones. Serves nodes and deltas.
typedef struct { uint64_t clear, set; } swzip_pack_numbers;
extern const swzip_pack_numbers swzip_packs[256] __attribute__((visibility("hidden")));

// For each mask of eight: the pair of bytes where each set bit finds its word among those that follow, and no byte for a clear bit.
// Serves sparse blocks and rANS.
extern const uint64_t swzip_word_places[256][2] __attribute__((visibility("hidden")));
#endif
