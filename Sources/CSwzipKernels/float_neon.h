// NEON: raw planes (float.h) to bytes of raw values and back; coded parts of 16 bits to symbols and raw values and back.
#ifndef SWZIP_FLOAT_NEON_H
#define SWZIP_FLOAT_NEON_H
#include "vector_neon.h"
#include "float.h"

// 16 columns of a unit's eight rows. `low`: raw values below the symbol, at the top of the byte where they have 6 or 7 bits; what
// is behind them may be anything. `high`: the bits of 9 or 10 that come into the symbol's byte.
INLINE void load_raw(const unsigned raw_bits, const uint8_t *unit, vec low[8], vec high[8]) {
  if (raw_bits == 8) {
    for (int j = 0; j < 8; j++) low[j] = LOAD(unit + 32 * j);
  } else if (raw_bits == 7) {
    // the lowest bits of the others are row 7
    for (int j = 0; j < 7; j++) low[j] = LOAD(unit + 32 * j);
    vec carried = low[6];
    for (int j = 5; j >= 0; j--) carried = vsliq_n_u8(low[j], carried, 1);
    low[7] = vshlq_n_u8(carried, 1);
  } else if (raw_bits == 6) {
    for (int half = 0; half < 2; half++) {
      vec *const row = low + 4 * half;
      for (int j = 0; j < 3; j++) row[j] = LOAD(unit + 96 * half + 32 * j);
      row[3] = vshlq_n_u8(vsliq_n_u8(row[0], vsliq_n_u8(row[1], row[2], 2), 2), 2);
    }
  } else if (raw_bits == 9) {
    const vec bits = LOAD(unit);
    for (int j = 0; j < 8; j++) {
      low[j] = LOAD(unit + 32 + 32 * j);
      high[j] = bits >> j & 1;
    }
  } else if (raw_bits == 10) {
    for (int half = 0; half < 2; half++) {
      const vec bits = LOAD(unit + 160 * half);
      for (int j = 0; j < 4; j++) {
        low[4 * half + j] = LOAD(unit + 160 * half + 32 + 32 * j);
        high[4 * half + j] = bits >> 2 * j & 3;
      }
    }
  } else if (raw_bits == 3) {
    vec row[3];
    for (int j = 0; j < 3; j++) {
      row[j] = LOAD(unit + 32 * j);
      low[j] = row[j] & 7;
      low[3 + j] = row[j] >> 3 & 7;
    }
    for (int j = 6; j < 8; j++) low[j] = vsliq_n_u8(row[0] >> j, vsliq_n_u8(row[1] >> j, row[2] >> j, 1), 1) & 7;
  } else {
    for (int j = 0; j < 8; j++) low[j] = LOAD(unit + 32 * (j & 1)) >> 2 * (j / 2) & 3;
  }
}

// The reverse, of raw values at the bottom of the byte; what is above them may be anything.
INLINE void store_raw(const unsigned raw_bits, uint8_t *unit, const vec low[8], const vec high[8]) {
  if (raw_bits == 8) {
    for (int j = 0; j < 8; j++) STORE(unit + 32 * j, low[j]);
  } else if (raw_bits == 7) {
    for (int j = 0; j < 7; j++) STORE(unit + 32 * j, vsliq_n_u8(low[7] >> j, low[j], 1));
  } else if (raw_bits == 6) {
    for (int j = 0; j < 6; j++) {
      const int row = j / 3 * 4 + j % 3;
      STORE(unit + 32 * j, vsliq_n_u8(low[row | 3] >> 2 * (j % 3), low[row], 2));
    }
  } else if (raw_bits == 9) {
    vec bits = high[7];
    for (int j = 6; j >= 0; j--) bits = vsliq_n_u8(high[j], bits, 1);
    STORE(unit, bits);
    for (int j = 0; j < 8; j++) STORE(unit + 32 + 32 * j, low[j]);
  } else if (raw_bits == 10) {
    for (int half = 0; half < 2; half++) {
      const vec *const bits = high + 4 * half;
      STORE(unit + 160 * half, vsliq_n_u8(bits[0], vsliq_n_u8(bits[1], vsliq_n_u8(bits[2], bits[3], 2), 2), 2));
      for (int j = 0; j < 4; j++) STORE(unit + 160 * half + 32 + 32 * j, low[4 * half + j]);
    }
  } else if (raw_bits == 3) {
    for (int j = 0; j < 3; j++) {
      const vec carried = vsliq_n_u8(low[6] >> j, low[7] >> j, 1);
      STORE(unit + 32 * j, vsliq_n_u8(low[j], vsliq_n_u8(low[j + 3], carried, 3), 3));
    }
  } else {
    for (int j = 0; j < 2; j++)
      STORE(unit + 32 * j, vsliq_n_u8(low[j], vsliq_n_u8(low[j + 2], vsliq_n_u8(low[j + 4], low[j + 6], 2), 2), 2));
  }
}

// A coded part of symbol << 8 | raw value as load_raw has it; `base` stands where the symbol comes to.
INLINE uint16x8_t join16(const swzip_float_kind kind, uint16x8_t u, uint16x8_t base) {
  const unsigned raw_bits = float_traits[kind].raw_bits;
  if (raw_bits >= 8) return vsliq_n_u16(u >> 1, u, 15);
  // the window's base is added unless the symbol is 0; below the field the sign is the lowest of the raw bits
  const int below = raw_bits == 6 && !float_is_unsigned(kind) ? 3 : 2;
  const uint16x8_t part = u >> below, joined = part + (base & vcgtq_u16(part, vdupq_n_u16((uint16_t)(255 >> below))));
  if (float_is_unsigned(kind)) return joined;
  return vsliq_n_u16(joined, u >> (below - 1), 15);
}

// 16 coded parts of 16 bits to symbols and raw values; `high`: what is above 8 bits. `outside`: not zero where a field has no
// symbol.
INLINE void split16(const swzip_float_kind kind, uint16x8_t x, uint16x8_t y, uint16x8_t base, vec *symbols, vec *low, vec *high,
                    uint16x8_t *outside) {
  const unsigned raw_bits = float_traits[kind].raw_bits;
  if (!float_is_unsigned(kind)) {
    x = vsliq_n_u16(x >> 15, x, 1);
    y = vsliq_n_u16(y >> 15, y, 1);
  }
  const vec bytes_x = (vec)x, bytes_y = (vec)y;
  *low = vuzp1q_u8(bytes_x, bytes_y);
  if (raw_bits == 8) {
    *symbols = vuzp2q_u8(bytes_x, bytes_y);
  } else if (raw_bits >= 9) {
    *high = vuzp2q_u8(bytes_x, bytes_y) & (uint8_t)((1 << (raw_bits - 8)) - 1);
    *symbols = vuzp2q_u8(bytes_x, bytes_y) >> (raw_bits - 8);
  } else {
    const uint16x8_t f = x >> raw_bits, g = y >> raw_bits, s = vqsubq_u16(f, base), t = vqsubq_u16(g, base);
    const uint16x8_t none = vbicq_u16(vceqzq_u16(s), vceqzq_u16(f)) | vbicq_u16(vceqzq_u16(t), vceqzq_u16(g));
    *outside |= none | vcgtq_u16(vmaxq_u16(s, t), vdupq_n_u16(255));
    *symbols = vqmovn_high_u16(vqmovn_u16(s), t);
  }
}
#endif
