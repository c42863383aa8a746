// Differences to a base (spec/codecs/delta.md): the definition, and what every level shares.
#include "delta.h"

#define FOR_WIDTH(width, call)  \
  switch (width) {              \
    case 1: call(1); break;     \
    case 2: call(2); break;     \
    case 4: call(4); break;     \
    default: call(8); break;    \
  }

static uint64_t sign_of(const swzip_delta_kind *kind) { return kind->is_float ? (uint64_t)1 << (8 * kind->width - 1) : 0; }

INLINE void symbols_of(const uint8_t *values, const uint8_t *base, size_t count, unsigned width, uint64_t sign,
                       uint8_t *symbols) {
  for (size_t i = 0; i < count; i++) {
    const int64_t g =
        delta_difference(delta_load(values + i * width, width), delta_load(base + i * width, width), width, sign);
    const uint64_t magnitude = g < 0 ? -(uint64_t)g : (uint64_t)g;
    symbols[i] = (uint8_t)(delta_token(magnitude, delta_token_bits(width)) | (g < 0 ? 128 : 0));
  }
}

void swzip_delta_symbols_portable(const swzip_delta_kind *kind, const void *values, const void *base, size_t count,
                                  uint8_t *symbols) {
#define CALL(w) symbols_of(values, base, count, w, sign_of(kind), symbols)
  FOR_WIDTH(kind->width, CALL)
#undef CALL
}

INLINE void low_bits_of(const uint8_t *values, const uint8_t *base, const uint8_t *symbols, size_t from, size_t count,
                        unsigned width, uint64_t sign, delta_bits *bits) {
  const unsigned k = delta_token_bits(width);
  for (size_t i = from; i < count; i++) {
    const unsigned low = delta_low_bits(symbols[i] & 127, k);
    if (low == 0) continue;
    const int64_t g =
        delta_difference(delta_load(values + i * width, width), delta_load(base + i * width, width), width, sign);
    const uint64_t rest = (g < 0 ? -(uint64_t)g : (uint64_t)g) & (((uint64_t)1 << low) - 1);
    for (unsigned done = 0; done < low; done += 32) {
      const unsigned part = low - done < 32 ? low - done : 32;
      bits->pending |= (rest >> done & (((uint64_t)1 << part) - 1)) << bits->filled;
      for (bits->filled += part; bits->filled >= 8; bits->filled -= 8) {
        *bits->at++ = (uint8_t)bits->pending;
        bits->pending >>= 8;
      }
    }
  }
}

uint8_t *swzip_delta_low_bits_from(const swzip_delta_kind *kind, const uint8_t *values, const uint8_t *base,
                                   const uint8_t *symbols, size_t from, size_t count, delta_bits *bits) {
#define CALL(w) low_bits_of(values, base, symbols, from, count, w, sign_of(kind), bits)
  FOR_WIDTH(kind->width, CALL)
#undef CALL
  if (bits->filled > 0) *bits->at++ = (uint8_t)bits->pending;
  return bits->at;
}

size_t swzip_delta_low_bits_portable(const swzip_delta_kind *kind, const void *values, const void *base,
                                     const uint8_t *symbols, size_t count, uint8_t *out) {
  delta_bits bits = {out, 0, 0};
  return (size_t)(swzip_delta_low_bits_from(kind, values, base, symbols, 0, count, &bits) - out);
}

INLINE void numbers_of(const uint8_t *base, size_t count, unsigned width, unsigned shift, unsigned mask, int top,
                       int most, const uint8_t *map, uint8_t *numbers) {
  for (size_t i = 0; i < count; i++) {
    const int context = top - (int)(delta_load(base + i * width, width) >> shift & mask);
    numbers[i] = map[context < 0 ? 0 : context > most ? most : context];
  }
}

void swzip_delta_numbers_portable(const swzip_delta_kind *kind, const void *base, size_t count, unsigned top,
                                  unsigned contexts, const uint8_t map[32], uint8_t *numbers) {
#define CALL(w) \
  numbers_of(base, count, w, kind->exponent_shift, kind->exponent_mask, (int)top, (int)contexts - 1, map, numbers)
  FOR_WIDTH(kind->width, CALL)
#undef CALL
}

INLINE bool apply_by(const uint8_t *symbols, const uint8_t *bits, size_t bit_count, const uint8_t *base, size_t from,
                     size_t count, unsigned width, uint64_t sign, uint8_t *out, size_t *at) {
  const unsigned k = delta_token_bits(width);
  size_t next = *at;
  for (size_t i = from; i < count; i++) {
    const unsigned token = symbols[i] & 127, low = delta_low_bits(token, k);
    if (low > bit_count - next) return false;
    uint64_t magnitude = delta_magnitude(token, k);
    if (low > 0) {
      // Low bits are 63 at most: up to nine bytes, of which none is read past the end.
      uint64_t rest = 0;
      for (size_t byte = next / 8, have = 0; have < low + next % 8; byte++, have += 8) {
        const uint64_t in = bits[byte];
        rest |= have < next % 8 ? in >> (next % 8 - have) : in << (have - next % 8);
      }
      magnitude |= rest & (((uint64_t)1 << low) - 1);
      next += low;
    }
    const int64_t g = symbols[i] & 128 ? -(int64_t)magnitude : (int64_t)magnitude;
    delta_store(out + i * width, width, delta_value(g, delta_load(base + i * width, width), width, sign));
  }
  *at = next;
  return true;
}

bool swzip_delta_apply_from(const swzip_delta_kind *kind, const uint8_t *symbols, const uint8_t *bits, size_t bit_count,
                            const uint8_t *base, size_t from, size_t count, uint8_t *out, size_t *at) {
  bool good = false;
#define CALL(w) good = apply_by(symbols, bits, bit_count, base, from, count, w, sign_of(kind), out, at)
  FOR_WIDTH(kind->width, CALL)
#undef CALL
  return good;
}

size_t swzip_delta_apply_portable(const swzip_delta_kind *kind, const uint8_t *symbols, const uint8_t *bits,
                                  size_t byte_count, const void *base, size_t count, void *out) {
  size_t at = 0;
  const bool good = swzip_delta_apply_from(kind, symbols, bits, 8 * byte_count, base, 0, count, out, &at);
  return good ? (at + 7) / 8 : byte_count + 1;
}
