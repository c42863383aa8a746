// The fields of ggml's blocks (ggml-common.h), taken apart and put together. Codes are as stored, from 0 on.
#ifndef SWZIP_REPLAY_FIELDS_H
#define SWZIP_REPLAY_FIELDS_H
#include "replay.h"

// Nibbles: element i and element i + half in one byte.
INLINE void take_nibbles(const uint8_t *in, unsigned half, uint8_t *codes) {
  for (unsigned i = 0; i < half; i++) codes[i] = in[i] & 15, codes[half + i] = in[i] >> 4;
}
INLINE void put_nibbles(const uint8_t *codes, unsigned half, uint8_t *out) {
  for (unsigned i = 0; i < half; i++) out[i] = (uint8_t)((codes[i] & 15) | codes[half + i] << 4);
}

// The same of elements that lie 64 apart.
INLINE void put_nibbles_apart(const uint8_t *codes, uint8_t *out) {
  for (unsigned i = 0; i < 32; i++) out[i] = (uint8_t)((codes[i] & 15) | codes[64 + i] << 4);
}

// Fifth bits, one a value.
INLINE void take_fifth(uint32_t bits, uint8_t *codes) {
  for (unsigned i = 0; i < 32; i++) codes[i] = (uint8_t)(codes[i] | (bits >> i & 1) << 4);
}
INLINE uint32_t put_fifth(const uint8_t *codes) {
  uint32_t bits = 0;
  for (unsigned i = 0; i < 32; i++) bits |= (uint32_t)(codes[i] >> 4 & 1) << i;
  return bits;
}

// Two bits of each value: four rows of 32 in 32 bytes, twice.
INLINE void take_pairs(const uint8_t *in, unsigned shift, uint8_t *codes) {
  for (unsigned h = 0; h < 2; h++)
    for (unsigned k = 0; k < 4; k++)
      for (unsigned i = 0; i < 32; i++)
        codes[128 * h + 32 * k + i] = (uint8_t)(codes[128 * h + 32 * k + i] | (in[32 * h + i] >> 2 * k & 3) << shift);
}
INLINE void put_pairs(const uint8_t *codes, unsigned shift, uint8_t *out) {
  for (unsigned h = 0; h < 2; h++)
    for (unsigned i = 0; i < 32; i++) {
      const uint8_t *const c = codes + 128 * h + i;
      out[32 * h + i] = (uint8_t)((c[0] >> shift & 3) | (c[32] >> shift & 3) << 2 | (c[64] >> shift & 3) << 4 |
                                  (c[96] >> shift & 3) << 6);
    }
}

// Eight scales and eight minima of six bits.
INLINE void take_six(const uint8_t *in, uint8_t *scales, uint8_t *minima) {
  for (unsigned j = 0; j < 4; j++) {
    scales[j] = in[j] & 63;
    minima[j] = in[j + 4] & 63;
    scales[j + 4] = (uint8_t)((in[j + 8] & 15) | in[j] >> 6 << 4);
    minima[j + 4] = (uint8_t)(in[j + 8] >> 4 | in[j + 4] >> 6 << 4);
  }
}
INLINE void put_six(const uint8_t *scales, const uint8_t *minima, uint8_t *out) {
  for (unsigned j = 0; j < 4; j++) {
    out[j] = (uint8_t)((scales[j] & 63) | scales[j + 4] >> 4 << 6);
    out[j + 4] = (uint8_t)((minima[j] & 63) | minima[j + 4] >> 4 << 6);
    out[j + 8] = (uint8_t)((scales[j + 4] & 15) | minima[j + 4] << 4);
  }
}

// Digits of base 3: `rows` rows of `count` values in `count` bytes, each the fraction of 3^5 that its digits are, rounded up.
INLINE void take_digits(const uint8_t *in, unsigned count, unsigned rows, uint8_t *codes) {
  static const uint8_t powers[5] = {1, 3, 9, 27, 81};
  for (unsigned n = 0; n < rows; n++)
    for (unsigned i = 0; i < count; i++) codes[n * count + i] = (uint8_t)((uint8_t)(in[i] * powers[n]) * 3 >> 8);
}
INLINE void put_digits(const uint8_t *codes, unsigned count, unsigned rows, uint8_t *out) {
  for (unsigned i = 0; i < count; i++) {
    unsigned q = 0;
    for (unsigned n = 0; n < 5; n++) q = 3 * q + (n < rows ? codes[n * count + i] : 0);
    out[i] = (uint8_t)((q * 256 + 242) / 243);
  }
}

INLINE void replay_take(unsigned type, const uint8_t *in, replay_fields *f) {
  const replay_shape shape = replay_shape_of(type);
  f->minimum = 0;
  switch (type) {
    case 2: case 20: f->scale = load16(in); take_nibbles(in + 2, 16, f->codes); break;
    case 3: f->scale = load16(in); f->minimum = load16(in + 2); take_nibbles(in + 4, 16, f->codes); break;
    case 6:
      f->scale = load16(in);
      take_nibbles(in + 6, 16, f->codes);
      take_fifth(load32(in + 2), f->codes);
      break;
    case 7:
      f->scale = load16(in), f->minimum = load16(in + 2);
      take_nibbles(in + 8, 16, f->codes);
      take_fifth(load32(in + 4), f->codes);
      break;
    case 8:
      f->scale = load16(in);
      for (unsigned i = 0; i < 32; i++) f->codes[i] = (uint8_t)(in[2 + i] + 128);
      break;
    case 10:
      for (unsigned j = 0; j < 16; j++) f->scales[j] = in[j] & 15, f->minima[j] = in[j] >> 4;
      memset(f->codes, 0, shape.elements);
      take_pairs(in + 16, 0, f->codes);
      f->scale = load16(in + 80), f->minimum = load16(in + 82);
      break;
    case 11:
      memset(f->codes, 0, shape.elements);
      take_pairs(in + 32, 0, f->codes);
      for (unsigned k = 0; k < 8; k++)
        for (unsigned i = 0; i < 32; i++) f->codes[32 * k + i] = (uint8_t)(f->codes[32 * k + i] | (in[i] >> k & 1) << 2);
      for (unsigned j = 0; j < 16; j++)
        f->scales[j] = (uint8_t)((j < 8 ? in[96 + j] & 15 : in[88 + j] >> 4) | (in[104 + j % 4] >> 2 * (j / 4) & 3) << 4);
      f->scale = load16(in + 108);
      break;
    case 12: case 13:
      f->scale = load16(in), f->minimum = load16(in + 2);
      take_six(in + 4, f->scales, f->minima);
      for (unsigned j = 0; j < 4; j++) take_nibbles(in + (type == 12 ? 16 : 48) + 32 * j, 32, f->codes + 64 * j);
      if (type == 13)
        for (unsigned k = 0; k < 8; k++)
          for (unsigned i = 0; i < 32; i++)
            f->codes[32 * k + i] = (uint8_t)(f->codes[32 * k + i] | (in[16 + i] >> k & 1) << 4);
      break;
    case 14:
      for (unsigned h = 0; h < 2; h++)
        for (unsigned k = 0; k < 4; k++)
          for (unsigned i = 0; i < 32; i++)
            f->codes[128 * h + 32 * k + i] = in[64 * h + 32 * (k & 1) + i] >> 4 * (k >> 1) & 15;
      take_pairs(in + 128, 4, f->codes);
      memcpy(f->scales, in + 192, 16);
      f->scale = load16(in + 208);
      break;
    case 34:
      take_digits(in, 32, 5, f->codes);
      take_digits(in + 32, 16, 5, f->codes + 160);
      take_digits(in + 48, 4, 4, f->codes + 240);
      f->scale = load16(in + 52);
      break;
    case 35:
      memset(f->codes, 0, shape.elements);
      take_pairs(in, 0, f->codes);
      f->scale = load16(in + 64);
      break;
  }
}

INLINE void replay_put(unsigned type, const replay_fields *f, uint8_t *out) {
  const uint8_t *const codes = f->codes;
  switch (type) {
    case 2: case 20: store16(out, f->scale); put_nibbles(codes, 16, out + 2); break;
    case 3: store16(out, f->scale); store16(out + 2, f->minimum); put_nibbles(codes, 16, out + 4); break;
    case 6: store16(out, f->scale); store32(out + 2, put_fifth(codes)); put_nibbles(codes, 16, out + 6); break;
    case 7:
      store16(out, f->scale);
      store16(out + 2, f->minimum);
      store32(out + 4, put_fifth(codes));
      put_nibbles(codes, 16, out + 8);
      break;
    case 8:
      store16(out, f->scale);
      for (unsigned i = 0; i < 32; i++) out[2 + i] = (uint8_t)(codes[i] - 128);
      break;
    case 10:
      for (unsigned j = 0; j < 16; j++) out[j] = (uint8_t)((f->scales[j] & 15) | f->minima[j] << 4);
      put_pairs(codes, 0, out + 16);
      store16(out + 80, f->scale);
      store16(out + 82, f->minimum);
      break;
    case 11:
      for (unsigned i = 0; i < 32; i++) {
        unsigned bits = 0;
        for (unsigned k = 0; k < 8; k++) bits |= (codes[32 * k + i] >> 2 & 1u) << k;
        out[i] = (uint8_t)bits;
      }
      put_pairs(codes, 0, out + 32);
      for (unsigned j = 0; j < 8; j++) out[96 + j] = (uint8_t)((f->scales[j] & 15) | f->scales[j + 8] << 4);
      for (unsigned j = 0; j < 4; j++)
        out[104 + j] = (uint8_t)((f->scales[j] >> 4 & 3) | (f->scales[j + 4] >> 4 & 3) << 2 |
                                 (f->scales[j + 8] >> 4 & 3) << 4 | (f->scales[j + 12] >> 4 & 3) << 6);
      store16(out + 108, f->scale);
      break;
    case 12: case 13:
      store16(out, f->scale);
      store16(out + 2, f->minimum);
      put_six(f->scales, f->minima, out + 4);
      for (unsigned j = 0; j < 4; j++) put_nibbles(codes + 64 * j, 32, out + (type == 12 ? 16 : 48) + 32 * j);
      if (type == 13)
        for (unsigned i = 0; i < 32; i++) {
          unsigned bits = 0;
          for (unsigned k = 0; k < 8; k++) bits |= (codes[32 * k + i] >> 4 & 1u) << k;
          out[16 + i] = (uint8_t)bits;
        }
      break;
    case 14:
      for (unsigned h = 0; h < 2; h++)
        for (unsigned k = 0; k < 2; k++)
          put_nibbles_apart(codes + 128 * h + 32 * k, out + 64 * h + 32 * k);
      put_pairs(codes, 4, out + 128);
      memcpy(out + 192, f->scales, 16);
      store16(out + 208, f->scale);
      break;
    case 34:
      put_digits(codes, 32, 5, out);
      put_digits(codes + 160, 16, 5, out + 32);
      put_digits(codes + 240, 4, 4, out + 48);
      store16(out + 52, f->scale);
      break;
    case 35: put_pairs(codes, 0, out); store16(out + 64, f->scale); break;
  }
}
#endif
