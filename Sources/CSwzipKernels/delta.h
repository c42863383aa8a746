// Differences to a base (spec/codecs/delta.md), a value at a time.
#ifndef SWZIP_DELTA_H
#define SWZIP_DELTA_H
#include "kernels.h"

INLINE uint64_t delta_load(const uint8_t *p, unsigned width) {
  return width == 1 ? *p : width == 2 ? load16(p) : width == 4 ? load32(p) : load64(p);
}
INLINE void delta_store(uint8_t *p, unsigned width, uint64_t v) {
  if (width == 1) *p = (uint8_t)v;
  else if (width == 2) store16(p, (uint16_t)v);
  else if (width == 4) store32(p, (uint32_t)v);
  else store64(p, v);
}

// k: bits of a magnitude behind its highest that are in the token.
INLINE unsigned delta_token_bits(unsigned width) { return width <= 2 ? 3 : width == 4 ? 2 : 0; }

// Low bits of a token's magnitude, and the magnitude without them.
INLINE unsigned delta_low_bits(unsigned token, unsigned k) { return token >> k ? (token >> k) - 1 : 0; }
INLINE uint64_t delta_magnitude(unsigned token, unsigned k) {
  const unsigned mask = (1u << k) - 1;
  return token >> k ? (uint64_t)((token & mask) | 1u << k) << ((token >> k) - 1) : token;
}
INLINE unsigned delta_token(uint64_t magnitude, unsigned k) {
  if (magnitude >> k == 0) return (unsigned)magnitude;
  const unsigned low = 63 - (unsigned)__builtin_clzll(magnitude) - k;
  return (low + 1) << k | ((unsigned)(magnitude >> low) & ((1u << k) - 1));
}

// g, sign-extended to 64 bits. `sign` is S for floats, 0 for other types.
INLINE int64_t delta_difference(uint64_t value, uint64_t base, unsigned width, uint64_t sign) {
  const unsigned shift = 64 - 8 * width;
  const uint64_t u = value ^ (base & sign);
  const uint64_t ordered = sign & u ? sign - 1 - u : u;
  return (int64_t)((ordered - (base & ~sign)) << shift) >> shift;
}
INLINE uint64_t delta_value(int64_t difference, uint64_t base, unsigned width, uint64_t sign) {
  const unsigned shift = 64 - 8 * width;
  const int64_t ordered = (int64_t)(((base & ~sign) + (uint64_t)difference) << shift) >> shift;
  return (sign && ordered < 0 ? sign - 1 - (uint64_t)ordered : (uint64_t)ordered) ^ (base & sign);
}

// Where low bits are written; fewer than eight are pending.
typedef struct {
  uint8_t *at;
  uint64_t pending;
  unsigned filled;
} delta_bits;
// Appends `count` bits, 56 at most; fewer than eight are pending.
INLINE void delta_append(delta_bits *bits, uint64_t more, unsigned count) {
  bits->pending |= more << bits->filled;
  store64(bits->at, bits->pending);
  bits->filled += count;
  bits->at += bits->filled >> 3;
  bits->pending >>= bits->filled & ~7u;
  bits->filled &= 7;
}
// Writes those of values `from` to `count`; returns the end.
uint8_t *swzip_delta_low_bits_from(const swzip_delta_kind *kind, const uint8_t *values, const uint8_t *base,
                                   const uint8_t *symbols, size_t from, size_t count, delta_bits *bits);
// Values `from` to `count`. `*at`: bits read; false where they are more than `bit_count`.
bool swzip_delta_apply_from(const swzip_delta_kind *kind, const uint8_t *symbols, const uint8_t *bits, size_t bit_count,
                            const uint8_t *base, size_t from, size_t count, uint8_t *out, size_t *at);

// AVX-512, values of two bytes: whole groups of 32, or when applying those before the one whose low bits are more than
// there are. Return how many values are done.
size_t swzip_delta_symbols_halves(bool is_float, const uint8_t *values, const uint8_t *base, size_t count,
                                  uint8_t *symbols);
size_t swzip_delta_low_bits_halves(bool is_float, const uint8_t *values, const uint8_t *base, const uint8_t *symbols,
                                   size_t count, delta_bits *bits);
size_t swzip_delta_apply_halves(bool is_float, const uint8_t *symbols, const uint8_t *bits, size_t bit_count,
                                const uint8_t *base, size_t count, uint8_t *out, size_t *at);
#endif
