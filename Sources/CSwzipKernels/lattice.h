// Values from codes and scales (spec/codecs/lattice.md): loops that the compiler makes vectors of. Every operation is one of
// IEEE 754 that all processors round alike; contraction would change them. A row's scales are laid out value by value, so that
// whatever the groups' shape, one loop multiplies.
#ifndef SWZIP_LATTICE_INTERNAL_H
#define SWZIP_LATTICE_INTERNAL_H
#include "kernels.h"

#pragma STDC FP_CONTRACT OFF

enum { LATTICE_CHUNK = 1024 };

INLINE uint32_t float_bits(float v) { uint32_t u; memcpy(&u, &v, 4); return u; }
INLINE float bits_float(uint32_t u) { float v; memcpy(&v, &u, 4); return v; }

INLINE uint16_t round_bf16(float v) {
  const uint32_t u = float_bits(v);
  return (uint16_t)((u + 0x7FFF + (u >> 16 & 1)) >> 16);
}

// Without branches; there is no NaN. A subnormal result is the sum with 1/2, whose last place is that of subnormals.
INLINE uint16_t round_f16(float v) {
  const uint32_t u = float_bits(v), magnitude = u & 0x7FFFFFFF;
  const uint32_t normal = (magnitude + 0xFFF + (magnitude >> 13 & 1) - (112u << 23)) >> 13;
  const uint32_t small = float_bits(bits_float(magnitude) + 0.5f) - 0x3F000000;
  const uint32_t finite = magnitude < 0x38800000 ? small : normal;
  return (uint16_t)((u >> 16 & 0x8000) | (magnitude < 0x477FF000 ? finite : 0x7C00));
}

/// A band and columns of it, their scales laid out.
typedef struct {
  uint32_t band, from, to;
  float *scale, *offset;
} lattice_row;

INLINE uint32_t lattice_first_above(const uint32_t *ends, uint32_t count, uint64_t place) {
  uint32_t low = 0, high = count - 1;
  while (low < high) {
    const uint32_t middle = (low + high) / 2;
    if (ends[middle] <= place) low = middle + 1; else high = middle;
  }
  return low;
}

INLINE void lattice_spread(const swzip_lattice *l, const float *values, uint32_t from, uint32_t to, float *out) {
  uint32_t group = lattice_first_above(l->column_end, l->column_count, from);
  for (uint32_t c = from; c < to; group++) {
    const uint32_t end = l->column_end[group] < to ? l->column_end[group] : to;
    const float value = values[group];
    for (; c < end; c++) out[c - from] = value;
  }
}

/// The scales of the columns of a run, of a short row all.
INLINE void lattice_load(const swzip_lattice *l, uint32_t band, uint32_t from, uint32_t to, bool all, lattice_row *row) {
  if (row->band == band && row->from <= from && to <= row->to) return;
  row->band = band, row->from = all ? 0 : from, row->to = all ? l->row_length : to;
  const size_t at = (size_t)band * l->column_count;
  lattice_spread(l, l->scale + at, row->from, row->to, row->scale);
  if (l->offset) lattice_spread(l, l->offset + at, row->from, row->to, row->offset);
}

/// Floats that a row takes in a block of `count` values.
INLINE uint32_t lattice_row_room(const swzip_lattice *l, uint32_t count) {
  return l->row_length <= count ? l->row_length : LATTICE_CHUNK;
}

INLINE float lattice_value(float code, float scale, float offset, float constant, int model) {
  const float product = code * scale;
  return model == 0 ? product : model == 1 ? product - offset : product * constant;
}

INLINE void lattice_multiply(const swzip_lattice *l, const float *code, const float *scale, const float *offset,
                             uint32_t count, int model, uint8_t *out) {
  const float constant = l->constant;
#define EACH(value) for (uint32_t i = 0; i < count; i++) { const float v = lattice_value(code[i], scale[i], model == 1 ? offset[i] : 0, constant, model); value; }
  switch (l->type) {
    case SWZIP_LATTICE_BF16: EACH(store16(out + 2 * i, round_bf16(v))) break;
    case SWZIP_LATTICE_F16: EACH(store16(out + 2 * i, round_f16(v))) break;
    default: EACH(store32(out + 4 * i, float_bits(v)))
  }
#undef EACH
}

INLINE void lattice_codes(const float *entries, uint32_t per_symbol, const uint8_t *symbols, uint32_t symbol_count,
                          float *codes) {
  if (per_symbol == 1) {
    for (uint32_t i = 0; i < symbol_count; i++) codes[i] = entries[symbols[i]];
  } else if (per_symbol == 2) {
    for (uint32_t i = 0; i < symbol_count; i++) memcpy(codes + 2 * i, entries + 2 * symbols[i], 8);
  } else {
    for (uint32_t i = 0; i < symbol_count; i++)
      for (uint32_t k = 0; k < per_symbol; k++) codes[per_symbol * i + k] = entries[per_symbol * symbols[i] + k];
  }
}

INLINE void lattice_values_by(const swzip_lattice *l, const float *entries, uint32_t per_symbol, const uint8_t *symbols,
                              uint64_t first, uint32_t count, uint8_t *out, float *room) {
  const uint32_t width = l->type == SWZIP_LATTICE_F32 ? 4 : 2;
  float codes[LATTICE_CHUNK + 8];
  lattice_row row = {.band = UINT32_MAX, .scale = room, .offset = room + lattice_row_room(l, count)};
  const int model = l->offset ? 1 : l->constant != 0 ? 2 : 0;
  const uint32_t step = LATTICE_CHUNK - LATTICE_CHUNK % per_symbol;
  uint64_t r = first / l->row_length;
  uint32_t c = (uint32_t)(first % l->row_length), band = lattice_first_above(l->band_end, l->band_count, r);
  for (uint32_t from = 0; from < count; from += step) {
    const uint32_t n = count - from < step ? count - from : step;
    lattice_codes(entries, per_symbol, symbols + from / per_symbol, (n + per_symbol - 1) / per_symbol, codes);
    for (uint32_t i = 0; i < n;) {
      const uint32_t run = l->row_length - c < n - i ? l->row_length - c : n - i;
      lattice_load(l, band, c, c + run, l->row_length <= count, &row);
      const float *const scale = row.scale + (c - row.from), *const offset = row.offset + (c - row.from);
      uint8_t *const to = out + (size_t)(from + i) * width;
      if (model == 0) lattice_multiply(l, codes + i, scale, offset, run, 0, to);
      else if (model == 1) lattice_multiply(l, codes + i, scale, offset, run, 1, to);
      else lattice_multiply(l, codes + i, scale, offset, run, 2, to);
      i += run, c += run;
      if (c == l->row_length) {
        c = 0, r++;
        if (r >= l->band_end[band] && band + 1 < l->band_count) band++;
      }
    }
  }
}
#endif
