// NEON: differences to a base, 16 values at a time, for values of 1, 2 and 4 bytes. Gives what delta.c gives.
#if defined(__aarch64__)
#include "vector_neon.h"
#include "delta.h"

// Numbers of low bits of 16 symbols.
INLINE vec low_counts(vec symbols, const int k) { return vqsubq_u8((symbols & 127) >> k, vdupq_n_u8(1)); }

// Lanes of bits, and how many each has. Neighbours are joined to lanes of twice the size.
typedef struct { vec bits, counts; } bit_fields;
#define JOIN(lane, wide, type, signed_type, lowest)                                                      \
  INLINE bit_fields join_##lane(bit_fields fields) {                                                     \
    const type bits = (type)fields.bits, counts = (type)fields.counts, first = counts & lowest;          \
    return (bit_fields){(vec)((bits & lowest) | vshlq_u##wide(bits >> lane, (signed_type)first)),        \
                        (vec)(first + (counts >> lane))};                                                \
  }
JOIN(8, 16, uint16x8_t, int16x8_t, 0xFF)
JOIN(16, 32, uint32x4_t, int32x4_t, 0xFFFF)
JOIN(32, 64, uint64x2_t, int64x2_t, 0xFFFFFFFF)

// Appends two lanes of 64 bits, of which 58 may be used.
INLINE void append_fields(delta_bits *to, bit_fields fields) {
  uint64_t bits[2], counts[2];
  vst1q_u64(bits, (uint64x2_t)fields.bits);
  vst1q_u64(counts, (uint64x2_t)fields.counts);
  for (int i = 0; i < 2; i++) {
    if (counts[i] > 56) {
      delta_append(to, bits[i] & 0xFFFFFFFF, 32);
      bits[i] >>= 32;
      counts[i] -= 32;
    }
    delta_append(to, bits[i], (unsigned)counts[i]);
  }
}

typedef uint8_t lane_8;
typedef uint16_t lane_16;
typedef uint32_t lane_32;
typedef uint8x16_t lanes_8;
typedef uint16x8_t lanes_16;
typedef uint32x4_t lanes_32;
typedef int8x16_t signed_lanes_8;
typedef int16x8_t signed_lanes_16;
typedef int32x4_t signed_lanes_32;

#define PASTE(a, b) a##b
#define PASTED(a, b) PASTE(a, b)
#define NAME(name) PASTED(name##_, LANE)
#define INTRINSIC(name) PASTED(name, LANE)
#define LANE 8
#include "delta_lanes_neon.h"
#define LANE 16
#include "delta_lanes_neon.h"
#define LANE 32
#include "delta_lanes_neon.h"

#define FOR_KIND(kind, call)                                                \
  switch ((kind)->width) {                                                  \
    case 1: (kind)->is_float ? call(8, true) : call(8, false); break;       \
    case 2: (kind)->is_float ? call(16, true) : call(16, false); break;     \
    case 4: (kind)->is_float ? call(32, true) : call(32, false); break;     \
    default: break;                                                         \
  }
INLINE size_t groups_of(const swzip_delta_kind *kind, size_t count) { return kind->width < 8 ? count / 16 : 0; }

void swzip_delta_symbols_neon(const swzip_delta_kind *kind, const void *values, const void *base, size_t count,
                              uint8_t *symbols) {
  const size_t groups = groups_of(kind, count), done = 16 * groups, bytes = done * kind->width;
#define CALL(lane, is_float) symbols_##lane(values, base, groups, is_float, symbols)
  FOR_KIND(kind, CALL)
#undef CALL
  swzip_delta_symbols_portable(kind, (const uint8_t *)values + bytes, (const uint8_t *)base + bytes, count - done,
                               symbols + done);
}

size_t swzip_delta_low_bits_neon(const swzip_delta_kind *kind, const void *values, const void *base,
                                 const uint8_t *symbols, size_t count, uint8_t *out) {
  const size_t groups = groups_of(kind, count);
  delta_bits bits = {out, 0, 0};
#define CALL(lane, is_float) low_bits_##lane(values, base, symbols, groups, is_float, &bits)
  FOR_KIND(kind, CALL)
#undef CALL
  return (size_t)(swzip_delta_low_bits_from(kind, values, base, symbols, 16 * groups, count, &bits) - out);
}

void swzip_delta_numbers_neon(const swzip_delta_kind *kind, const void *base, size_t count, unsigned top,
                              unsigned contexts, const uint8_t map[32], uint8_t *numbers) {
  const size_t groups = groups_of(kind, count), done = 16 * groups;
  switch (kind->width) {
    case 1: numbers_8(base, groups, kind, top, contexts, map, numbers); break;
    case 2: numbers_16(base, groups, kind, top, contexts, map, numbers); break;
    case 4: numbers_32(base, groups, kind, top, contexts, map, numbers); break;
    default: break;
  }
  swzip_delta_numbers_portable(kind, (const uint8_t *)base + done * kind->width, count - done, top, contexts, map,
                               numbers + done);
}

size_t swzip_delta_apply_neon(const swzip_delta_kind *kind, const uint8_t *symbols, const uint8_t *bits,
                              size_t byte_count, const void *base, size_t count, void *out) {
  const size_t groups = groups_of(kind, count);
  size_t done = 0, at = 0;
#define CALL(lane, is_float) (done = 16 * apply_##lane(symbols, bits, 8 * byte_count, base, groups, is_float, out, &at))
  FOR_KIND(kind, CALL)
#undef CALL
  const bool good = swzip_delta_apply_from(kind, symbols, bits, 8 * byte_count, base, done, count, out, &at);
  return good ? (at + 7) / 8 : byte_count + 1;
}
#endif
