// The loops of codec lattice (spec/codecs/lattice.md): values from codes and scales, codes from values, scales from values.
// As swzip_kernels.h says.
#ifndef SWZIP_LATTICE_H
#define SWZIP_LATTICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

typedef enum { SWZIP_LATTICE_BF16, SWZIP_LATTICE_F16, SWZIP_LATTICE_F32 } swzip_lattice_type;

/// What the values of a segment are made of. Rows of `row_length` values are parted into columns of groups, and into bands of
/// rows: a group is where a band and a column of groups meet, and has a scale (and an offset). All numbers are finite.
typedef struct {
  swzip_lattice_type type;
  uint32_t row_length;
  uint32_t column_count, band_count;
  const uint32_t *column_end;   // ascending, in values; the last is `row_length`
  const uint32_t *band_end;     // ascending, in rows
  const float *scale;           // by band, then by column
  const float *offset;          // likewise, what is taken off; or NULL
  float constant;               // a further factor, or 0
} swzip_lattice;

/// What symbols stand for: `per_symbol` codes of `count` each, the first code's number the lowest digit. At most 256 symbols.
typedef struct {
  uint32_t count, per_symbol;
  float code[256];
} swzip_lattice_book;

typedef enum {
  SWZIP_BOOK_LIST, SWZIP_BOOK_INTEGERS, SWZIP_BOOK_E4M3, SWZIP_BOOK_E5M2, SWZIP_BOOK_E2M1, SWZIP_BOOK_NF4, SWZIP_BOOK_IQ4_NL,
  SWZIP_BOOKS
} swzip_lattice_book_kind;

/// The codes of a book from E4M3 on.
void swzip_lattice_book_make(swzip_lattice_book_kind kind, swzip_lattice_book *book);

/// For each symbol its codes, `per_symbol` floats.
#define SWZIP_LATTICE_ENTRIES (256 * 8)
void swzip_lattice_entries(const swzip_lattice_book *book, float entries[SWZIP_LATTICE_ENTRIES]);

/// Bytes of `room` for blocks of `count` values.
size_t swzip_lattice_room(const swzip_lattice *lattice, uint32_t count);

/// Writes `count` values, from value `first` of the segment on, of symbols. In any floating-point environment: it computes in
/// the default one.
void swzip_lattice_values(const swzip_lattice *lattice, const float entries[SWZIP_LATTICE_ENTRIES], uint32_t per_symbol,
                          const uint8_t *symbols, uint64_t first, uint32_t count, void *out, void *room);

// ---------------------------------------------------------------- encoding

/// A book as it is searched: codes in ascending order, -0 before 0.
typedef struct {
  uint32_t count;
  bool is_integers;             // consecutive ones, from the first digit on
  uint16_t minus_zero;          // the digit of -0 beside integers, or 256
  float code[256];
  uint8_t digit[256];           // the number of each in the book
  float middle[256];            // between a code and the next
  uint8_t bucket[16384];        // by the upper 14 bits of a float in the order of numbers: the first code that may be nearest
  double inverse[256];          // of each code's size
} swzip_lattice_search;

void swzip_lattice_search_make(const swzip_lattice_book *book, swzip_lattice_search *search);

/// The digit of each value, that of a nearest code where there is none. Returns how many values are not what their digit says;
/// the positions of at most `capacity` are stored.
uint32_t swzip_lattice_digits(const swzip_lattice *lattice, const swzip_lattice_search *search, const void *values,
                              uint64_t first, uint32_t count, uint8_t *digits, void *room, uint32_t *missing,
                              uint32_t capacity);
/// Joins digits to symbols, in place; returns how many.
uint32_t swzip_lattice_join(uint8_t *digits, uint32_t count, const swzip_lattice_book *book);

/// The scales by which all values of a group but some are codes: between `low` and `high`, both above 0, or if `negative` the
/// same below 0. A group of zeros has any: 0 to infinity.
typedef struct {
  double low, high;
  bool negative;
  uint32_t top;                 // the code of the largest value: its number among `candidates`
  uint32_t misses;              // distinct values without a code
} swzip_lattice_fit;

/// Sizes of codes that the largest value of a group may have, the likeliest first; whether scales may be below 0.
typedef struct {
  uint32_t count;
  float candidate[256];
  bool takes_negative;
} swzip_lattice_tops;

/// Those of a book: of integers up to `most`.
void swzip_lattice_tops_make(swzip_lattice_book_kind kind, uint32_t most, swzip_lattice_tops *tops);

/// Fits a group: `count` rows of `length` values, `stride` apart. Candidate number `hint` is tried first. False if one of the values
/// has no code, or unless `exactly` more than one in 16 of them.
bool swzip_lattice_fit_group(swzip_lattice_type type, const swzip_lattice_search *search, const swzip_lattice_tops *tops,
                             const void *values, uint32_t count, size_t stride, uint32_t length, uint32_t hint, bool exactly,
                             swzip_lattice_fit *fit);

/// Which of up to 32 books have codes for all `count` values (at most 32), `stride` apart: a bit each. False in `*says` if the
/// values say nothing: they are all the same, or most of them 0.
uint32_t swzip_lattice_probe(swzip_lattice_type type, const swzip_lattice_search *const *searches,
                             const swzip_lattice_tops *const *tops, uint32_t books, const void *values, size_t stride,
                             uint32_t count, bool *says);

/// The number, ascending, of the code nearest to x.
uint32_t swzip_lattice_nearest_code(const swzip_lattice_search *search, float x);

// ---------------------------------------------------------------- scale and offset

/// The scales and offsets by which all values of a group are value = code * scale - offset, codes from 0 to `most`.
typedef struct {
  double low, high;             // scales; both 0 where all values are the same
  double offset_low, offset_high;
  uint8_t code[256];
} swzip_lattice_pair;

/// Fits a group of at most 256 values. False where there are none.
bool swzip_lattice_fit_pair(swzip_lattice_type type, const void *values, uint32_t count, uint32_t most, swzip_lattice_pair *pair);
/// Numbers of F16 for scale and offset, or if there are none of F32; false if none give all values.
bool swzip_lattice_pair_numbers(swzip_lattice_type type, const void *values, uint32_t count, const swzip_lattice_pair *pair,
                                float *scale, float *offset);
/// Whether 16 values are those of a scale and an offset; false in `*says` if they say nothing.
bool swzip_lattice_probe_pair(swzip_lattice_type type, const void *values, bool *says);

/// Fits a super-block as ggml has it: `groups` of `length` values, at most 256 in all, whose scales and offsets are integers from 0 to
/// `most_scale` times a number of F16 each. False where no such numbers give all values: then they are near.
bool swzip_lattice_fit_super(swzip_lattice_type type, const void *values, uint32_t groups, uint32_t length, uint32_t most,
                             uint32_t most_scale, uint8_t *scales, uint8_t *offsets, float *scale, float *offset);

/// The same without offsets: scales, bounded as `swzip_lattice_fit_group` found them, are integers from -128 to 127 times a number of F16.
bool swzip_lattice_fit_products(swzip_lattice_type type, const void *values, uint32_t groups, uint32_t length, const double *low,
                                const double *high, const bool *negative, int8_t *scales, float *scale);

/// Numbers as F32: of `count` BF16 or F16.
void swzip_lattice_widen(swzip_lattice_type type, const void *numbers, uint32_t count, float *out);

/// The number of fewest significant bits from `low` to `high` (0 < low <= high), and these bits.
double swzip_lattice_simplest(double low, double high, unsigned *bits);

#pragma GCC visibility pop
#endif
