// NEON: split, 16 columns of a unit's rows at a time.
#if defined(__aarch64__)
#include "float_neon.h"
#include "split.h"

INLINE bool split_units(const swzip_float_kind kind, const uint8_t *values, uint32_t units, uint16_t window_base,
                        uint8_t *symbols, uint8_t *raw, uint8_t *low0, uint8_t *low1) {
  const unsigned raw_bits = float_traits[kind].raw_bits;
  const size_t width = float_traits[kind].width;
  const uint16x8_t base = vdupq_n_u16(window_base);
  uint16x8_t outside = vdupq_n_u16(0);
  for (uint32_t unit = 0; unit < units; unit++) {
    UNROLL for (unsigned column = 0; column < 32; column += 16) {
      vec low[8], high[8];
      UNROLL for (unsigned j = 0; j < 8; j++) {
        const unsigned at = 32 * j + column;
        const uint8_t *const from = values + at * width;
        vec s;
        if (width == 1) {
          const vec rotated = vsliq_n_u8(LOAD(from) >> 7, LOAD(from), 1);
          s = rotated >> raw_bits;
          low[j] = rotated;
        } else if (width == 2) {
          split16(kind, LOAD_16(from), LOAD_16(from + 16), base, &s, low + j, high + j, &outside);
        } else {
          const uint16x8_t a = LOAD_16(from), b = LOAD_16(from + 16), c = LOAD_16(from + 32), d = LOAD_16(from + 48);
          const vec l = (vec)vuzp1q_u16(a, b), m = (vec)vuzp1q_u16(c, d);
          STORE(low0 + at, vuzp1q_u8(l, m));
          STORE(low1 + at, vuzp2q_u8(l, m));
          split16(kind, vuzp2q_u16(a, b), vuzp2q_u16(c, d), base, &s, low + j, high + j, &outside);
        }
        STORE(symbols + at, s);
      }
      store_raw(raw_bits, raw + column, low, high);
    }
    values += width * SWZIP_UNIT;
    raw += 32 * raw_bits;
    symbols += SWZIP_UNIT;
    if (width == 4) low0 += SWZIP_UNIT, low1 += SWZIP_UNIT;
  }
  return vmaxvq_u16(outside) != 0;
}

SPLIT(BF16_J0) SPLIT(BF16_J1) SPLIT(BF16_J2) SPLIT(BF16_U1) SPLIT(F16_J1) SPLIT(F16_J2) SPLIT(E4M3_J1) SPLIT(E5M2_J1)
SPLIT(F32_J0) SPLIT(F32_J1) SPLIT(F32_J2) SPLIT(F32_U1)
static swzip_split_function *const split_functions[] = {
    SPLITS(BF16_J0), SPLITS(BF16_J1), SPLITS(BF16_J2), SPLITS(BF16_U1), SPLITS(F16_J1), SPLITS(F16_J2),
    SPLITS(E4M3_J1), SPLITS(E5M2_J1), SPLITS(F32_J0), SPLITS(F32_J1), SPLITS(F32_J2), SPLITS(F32_U1),
};

bool swzip_float_split_neon(swzip_float_kind kind, const void *values, uint32_t count, uint16_t window_base,
                            uint8_t *symbols, uint8_t *raw_plane, uint8_t *low0, uint8_t *low1) {
  return swzip_float_split_by(split_functions[kind], kind, values, count, window_base, symbols, raw_plane, low0, low1);
}
#endif
