// Quiet values of a delta (spec/codecs/delta.md): their changes as gaps, so that rANS need not pass over them.
#include "delta.h"

enum { GAP_TOKEN_BITS = 3 };

size_t swzip_delta_dense_portable(const uint8_t *numbers, size_t count, uint8_t *mask, uint8_t *dense) {
  size_t found = 0;
  for (size_t i = 0; i < count; i += 64) {
    uint64_t bits = 0;
    for (size_t k = i; k < i + 64 && k < count; k++) {
      bits |= (uint64_t)(numbers[k] != 0) << (k - i);
      dense[found] = numbers[k];
      found += numbers[k] != 0;
    }
    store64(mask + i / 8, bits);
  }
  return found;
}

void swzip_delta_gather(const uint8_t *bytes, const uint8_t *mask, size_t count, uint8_t *gathered) {
  for (size_t i = 0; i < count; i += 64)
    for (uint64_t bits = load64(mask + i / 8); bits; bits &= bits - 1)
      *gathered++ = bytes[i + (size_t)__builtin_ctzll(bits)];
}

// The top bit of each byte that is not zero.
INLINE uint64_t set_bytes(uint64_t v) {
  const uint64_t seven = 0x7F7F7F7F7F7F7F7F;
  return (((v & seven) + seven) | v) & ~seven;
}

size_t swzip_delta_changes(const uint8_t *symbols, const uint8_t *numbers, size_t count, size_t most, uint8_t *gaps,
                           uint8_t *changes, uint8_t *low, size_t *low_bytes) {
  size_t found = 0, next = 0, filled = 0;
  uint64_t pending = 0;
  uint8_t *out = low;
  for (size_t i = 0; i < count; i += 8) {
    uint64_t symbol = 0, number = 0;
    memcpy(&symbol, symbols + i, count - i < 8 ? count - i : 8);
    memcpy(&number, numbers + i, count - i < 8 ? count - i : 8);
    for (uint64_t bits = set_bytes(symbol) & ~set_bytes(number); bits; bits &= bits - 1) {
      const size_t place = i + (size_t)__builtin_ctzll(bits) / 8;
      if (found == most) return most + 1;
      const size_t gap = place - next;
      const unsigned token = delta_token(gap, GAP_TOKEN_BITS), low_count = delta_low_bits(token, GAP_TOKEN_BITS);
      gaps[found] = (uint8_t)token;
      changes[found++] = symbols[place];
      pending |= (gap & (((uint64_t)1 << low_count) - 1)) << filled;
      for (filled += low_count; filled >= 8; filled -= 8) {
        *out++ = (uint8_t)pending;
        pending >>= 8;
      }
      next = place + 1;
    }
  }
  if (filled > 0) *out++ = (uint8_t)pending;
  *low_bytes = (size_t)(out - low);
  return found;
}

bool swzip_delta_scatter(const uint8_t *gaps, const uint8_t *changes, size_t changed, const uint8_t *low,
                         size_t *low_bytes, const uint8_t *mask, size_t count, uint8_t *symbols) {
  size_t at = 0, place = 0;
  const size_t bit_count = 8 * *low_bytes;
  for (size_t i = 0; i < changed; i++, place++) {
    if (gaps[i] > 127) return false;
    const unsigned bits = delta_low_bits(gaps[i], GAP_TOKEN_BITS);
    if (bits > bit_count - at) return false;
    // At most 14 bits, from three bytes of which none lies past the slack.
    const uint32_t in = bits ? load32(low + at / 8) >> at % 8 & ((1u << bits) - 1) : 0;
    at += bits;
    place += (size_t)(delta_magnitude(gaps[i], GAP_TOKEN_BITS) | in);
    if (place >= count || (mask[place / 8] >> place % 8 & 1)) return false;
    symbols[place] = changes[i];
  }
  *low_bytes = (at + 7) / 8;
  return true;
}
