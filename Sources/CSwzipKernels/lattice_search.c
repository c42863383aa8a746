// Codes from values (spec/codecs/lattice.md): the nearest code to value / scale, proved by what a decoder makes of it.
#include "float_environment.h"
#include <math.h>

#include "lattice_search.h"

void swzip_lattice_search_make(const swzip_lattice_book *book, swzip_lattice_search *search) {
  memset(search, 0, sizeof *search);
  search->count = book->count;
  for (uint32_t i = 0; i < book->count; i++) {
    uint32_t at = i;
    for (; at > 0 && lattice_ordered(search->code[at - 1]) > lattice_ordered(book->code[i]); at--) {
      search->code[at] = search->code[at - 1];
      search->digit[at] = search->digit[at - 1];
    }
    search->code[at] = book->code[i];
    search->digit[at] = (uint8_t)i;
  }
  search->is_integers = true;
  search->minus_zero = 256;
  const uint32_t last = book->count - 1;
  if (float_bits(book->code[last]) == 0x80000000) search->minus_zero = (uint16_t)last;
  for (uint32_t i = 0; i < book->count; i++) {
    if (i != search->minus_zero && book->code[i] != book->code[0] + (float)i) search->is_integers = false;
    if (i + 1 < book->count) search->middle[i] = (search->code[i] + search->code[i + 1]) / 2;
  }
  if (search->is_integers && search->minus_zero < 256) {  // computed, not looked up
    search->count = last;
    for (uint32_t i = 0; i < last; i++) {
      search->code[i] = book->code[i];
      search->digit[i] = (uint8_t)i;
    }
  }
  for (uint32_t i = 0; i < search->count; i++) {
    const double size = fabs((double)search->code[i]);
    search->inverse[i] = size > 0 ? 1 / size : 1e300;
  }
  uint32_t code = 0;
  for (uint32_t bucket = 0; bucket < 16384; bucket++) {
    const uint32_t key = bucket << 18;  // the least float of the bucket
    const float least = bits_float(key & 0x80000000 ? key & 0x7FFFFFFF : ~key);
    while (code + 1 < search->count && (least > search->middle[code] || (key == 0x80000000 && search->middle[code] == 0))) code++;
    search->bucket[bucket] = (uint8_t)code;
  }
}

INLINE void read_values(swzip_lattice_type type, const uint8_t *values, uint32_t count, float *out) {
  uint32_t bits;
  for (uint32_t i = 0; i < count; i++)
    out[i] = type == SWZIP_LATTICE_F16 ? lattice_half(load16(values + 2 * i)) : lattice_read(type, values, i, &bits);
}

void swzip_lattice_widen(swzip_lattice_type type, const void *numbers, uint32_t count, float *out) {
  if (type == SWZIP_LATTICE_F16) read_values(SWZIP_LATTICE_F16, numbers, count, out);
  else read_values(SWZIP_LATTICE_BF16, numbers, count, out);
}

/// Bit i of the result is set where `out` has not the bits of the values.
INLINE bool differ(swzip_lattice_type type, const uint8_t *values, const float *code, const float *scale, const float *offset,
                   float constant, int model, uint32_t count, uint8_t *wrong) {
  uint32_t any = 0;
  for (uint32_t i = 0; i < count; i++) {
    const float v = lattice_value(code[i], scale[i], model == 1 ? offset[i] : 0, constant, model);
    const uint32_t bits = type == SWZIP_LATTICE_F32 ? load32(values + 4 * i) : load16(values + 2 * i);
    wrong[i] = lattice_round(type, v) != bits;
    any |= wrong[i];
  }
  return any;
}

INLINE bool digits_of(swzip_lattice_type type, int model, const swzip_lattice *l, const swzip_lattice_search *search,
                      const uint8_t *values, const float *scale, const float *offset, uint32_t count, uint8_t *digits,
                      uint8_t *wrong) {
  float v[LATTICE_CHUNK], code[LATTICE_CHUNK];
  read_values(type, values, count, v);
  for (uint32_t i = 0; i < count; i++) {
    const float by = model == 2 ? scale[i] * l->constant : scale[i];
    v[i] = (model == 1 ? v[i] + offset[i] : v[i]) / by;
  }
  if (search->is_integers) {
    const float first = search->code[0], last = (float)(search->count - 1);
    for (uint32_t i = 0; i < count; i++) {
      const float from = v[i] - first, kept = from > 0 ? from < last ? from : last : 0;
      const int32_t digit = (int32_t)(kept + 0.5f);
      const float whole = (float)digit + first;
      const bool is_minus = search->minus_zero < 256 && whole == 0 && float_bits(v[i]) >> 31;
      digits[i] = (uint8_t)(is_minus ? search->minus_zero : digit);
      code[i] = is_minus ? -0.0f : whole;
    }
  } else {
    for (uint32_t i = 0; i < count; i++) {
      const uint32_t at = v[i] == v[i] ? lattice_nearest(search, v[i]) : 0;
      digits[i] = search->digit[at];
      code[i] = search->code[at];
    }
  }
  return differ(type, values, code, scale, offset, l->constant, model, count, wrong);
}

uint32_t swzip_lattice_digits(const swzip_lattice *l, const swzip_lattice_search *search, const void *values,
                              uint64_t first, uint32_t count, uint8_t *digits, void *room, uint32_t *missing,
                              uint32_t capacity) {
  const uint64_t had = default_environment();
  float *const scales = room;
  lattice_row row = {.band = UINT32_MAX, .scale = scales, .offset = scales + lattice_row_room(l, count)};
  const int model = l->offset ? 1 : l->constant != 0 ? 2 : 0;
  const uint32_t width = l->type == SWZIP_LATTICE_F32 ? 4 : 2;
  uint8_t wrong[LATTICE_CHUNK];
  uint64_t r = first / l->row_length;
  uint32_t c = (uint32_t)(first % l->row_length), band = lattice_first_above(l->band_end, l->band_count, r), found = 0;
  for (uint32_t from = 0; from < count;) {
    uint32_t run = l->row_length - c < count - from ? l->row_length - c : count - from;
    if (run > LATTICE_CHUNK) run = LATTICE_CHUNK;
    lattice_load(l, band, c, c + run, l->row_length <= count, &row);
    const float *const scale = row.scale + (c - row.from), *const offset = row.offset + (c - row.from);
    const uint8_t *const in = (const uint8_t *)values + (size_t)from * width;
#define OF(type) (model == 0 ? digits_of(type, 0, l, search, in, scale, offset, run, digits + from, wrong) \
                : model == 1 ? digits_of(type, 1, l, search, in, scale, offset, run, digits + from, wrong) \
                             : digits_of(type, 2, l, search, in, scale, offset, run, digits + from, wrong))
    const bool any = l->type == SWZIP_LATTICE_BF16 ? OF(SWZIP_LATTICE_BF16)
                     : l->type == SWZIP_LATTICE_F16 ? OF(SWZIP_LATTICE_F16) : OF(SWZIP_LATTICE_F32);
#undef OF
    for (uint32_t i = 0; any && i < run; i++) {
      if (!wrong[i]) continue;
      if (found < capacity) missing[found] = from + i;
      found++;
    }
    from += run, c += run;
    if (c == l->row_length) {
      c = 0, r++;
      if (r >= l->band_end[band] && band + 1 < l->band_count) band++;
    }
  }
  restore_environment(had);
  return found;
}

uint32_t swzip_lattice_nearest_code(const swzip_lattice_search *search, float x) { return lattice_nearest(search, x); }

uint32_t swzip_lattice_join(uint8_t *digits, uint32_t count, const swzip_lattice_book *book) {
  const uint32_t symbols = (count + book->per_symbol - 1) / book->per_symbol;
  if (book->per_symbol == 1) return symbols;
  if (book->per_symbol == 2) {
    for (uint32_t i = 0; i < count / 2; i++) digits[i] = (uint8_t)(digits[2 * i] + digits[2 * i + 1] * book->count);
    if (count & 1) digits[symbols - 1] = digits[count - 1];
    return symbols;
  }
  for (uint32_t i = 0; i < symbols; i++) {
    uint32_t symbol = 0;
    for (uint32_t k = book->per_symbol; k-- > 0;) {
      const size_t at = (size_t)i * book->per_symbol + k;
      symbol = symbol * book->count + (at < count ? digits[at] : 0);
    }
    digits[i] = (uint8_t)symbol;
  }
  return symbols;
}
