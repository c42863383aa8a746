// The books of codec lattice (spec/codecs/lattice.md), and the codes that the largest value of a group is likely to have.
#include <math.h>

#include "lattice.h"

static const uint32_t nf4[16] = {
    0xBF800000, 0xBF3239B1, 0xBF066B30, 0xBECA32A0, 0xBE91A24D, 0xBE3D353F, 0xBDBA7871, 0x00000000,
    0x3DA2FAFF, 0x3E24CAE3, 0x3E7C04DD, 0x3EAD033A, 0x3EE1A4B8, 0x3F1007AB, 0x3F3913B3, 0x3F800000};
static const int8_t iq4_nl[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

/// A float of sign, exponent and `digits` of mantissa.
static float small_float(uint32_t bits, int sign_bit, int digits, int bias) {
  const int32_t mantissa = (int32_t)(bits & ((1u << digits) - 1));
  const int exponent = (int)(bits >> digits & ((1u << (sign_bit - digits)) - 1));
  const int32_t whole = exponent ? mantissa | 1 << digits : mantissa;
  const float size = (float)whole * bits_float((uint32_t)(127 + (exponent ? exponent : 1) - bias - digits) << 23);
  return bits >> sign_bit & 1 ? -size : size;
}

void swzip_lattice_book_make(swzip_lattice_book_kind kind, swzip_lattice_book *book) {
  book->count = kind == SWZIP_BOOK_E4M3 || kind == SWZIP_BOOK_E5M2 ? 256 : 16;
  for (uint32_t i = 0; i < book->count; i++) {
    switch (kind) {
      case SWZIP_BOOK_E4M3: book->code[i] = (i & 0x7F) == 0x7F ? 0 : small_float(i, 7, 3, 7); break;
      case SWZIP_BOOK_E5M2: book->code[i] = (i & 0x7F) > 0x7B ? 0 : small_float(i, 7, 2, 15); break;
      case SWZIP_BOOK_E2M1: book->code[i] = small_float(i, 3, 1, 1); break;
      case SWZIP_BOOK_NF4: book->code[i] = bits_float(nf4[i]); break;
      default: book->code[i] = iq4_nl[i];
    }
  }
}

void swzip_lattice_tops_make(swzip_lattice_book_kind kind, uint32_t most, swzip_lattice_tops *tops) {
  tops->count = 0;
  tops->takes_negative = kind == SWZIP_BOOK_INTEGERS || kind == SWZIP_BOOK_IQ4_NL;
#define ADD(top) (tops->candidate[tops->count++] = (float)(top))
  if (kind == SWZIP_BOOK_INTEGERS) {
    // Ascending: what a larger one explains may be multiples of what a smaller one does.
    for (uint32_t top = 1; top <= most; top++) ADD(top);
    return;
  }
  swzip_lattice_book book;
  swzip_lattice_book_make(kind, &book);
  // Codes of one binade say all of a book of floats: others only shift the scale.
  const uint32_t least = kind == SWZIP_BOOK_E4M3 ? 16 : kind == SWZIP_BOOK_E5M2 ? 8 : 256;
  for (float below = INFINITY; tops->count < least;) {
    float size = 0;
    for (uint32_t i = 0; i < book.count; i++) {
      const float code = fabsf(book.code[i]);
      if (code < below && code > size) size = code;
    }
    if (size == 0) break;
    ADD(size);
    below = size;
  }
#undef ADD
}
