// Scale and offset of a group (spec/codecs/lattice.md, model 1). The distinct values of a group lie on a
// line of codes; each pair of them bounds the scale, and with a scale each value the offset.
#include <math.h>

#include "lattice_pair.h"

typedef struct { double value, low, high; } pair_value;

static pair_value pair_bound(swzip_lattice_type type, float value) {
  const double v = (double)value;
  const float least = type == SWZIP_LATTICE_F16 ? 0x1p-14f : 0x1p-126f;
  const double digits = type == SWZIP_LATTICE_BF16 ? 0x1p-8 : type == SWZIP_LATTICE_F16 ? 0x1p-11 : 0x1p-24;
  const float power = bits_float(float_bits(value) & 0x7F800000);
  const double half = (double)(power > least ? power : least) * digits;
  const double inner = (double)power == fabs(v) && power > least ? half / 2 : half;
  return (pair_value){v, v - (v > 0 ? inner : half), v + (v < 0 ? inner : half)};
}

static void pair_read(swzip_lattice_type type, const uint8_t *values, uint32_t count, float *out) {
  uint32_t bits;
  for (uint32_t i = 0; i < count; i++) out[i] = lattice_read(type, values, i, &bits);
}

/// The distinct values, ascending, and of each value its number; 0 if there are more than `most` or one is no number.
static uint32_t pair_distinct(swzip_lattice_type type, const float *values, uint32_t count, uint32_t most, pair_value *out,
                              uint8_t *numbers) {
  float distinct[64 + 1];
  uint32_t found = 0;
  for (uint32_t i = 0; i < count; i++) {
    const float v = values[i];
    if (!(v - v == 0)) return 0;
    uint32_t at = found;
    while (at > 0 && distinct[at - 1] > v) at--;
    if (at > 0 && distinct[at - 1] == v) continue;
    if (found == most) return 0;
    memmove(distinct + at + 1, distinct + at, (found - at) * sizeof *distinct);
    distinct[at] = v;
    found++;
  }
  for (uint32_t i = 0; i < found; i++) out[i] = pair_bound(type, distinct[i]);
  for (uint32_t i = 0; numbers && i < count; i++) {
    uint8_t at = 0;
    while (distinct[at] != values[i]) at++;
    numbers[i] = at;
  }
  return found;
}

/// The offsets, negated, that a scale leaves.
static bool pair_offsets(const pair_value *d, const uint32_t *code, uint32_t count, double scale, double *low, double *high) {
  *low = -INFINITY, *high = (double)INFINITY;
  for (uint32_t i = 0; i < count; i++) {
    const double a = d[i].low - scale * code[i], b = d[i].high - scale * code[i];
    *low = a > *low ? a : *low;
    *high = b < *high ? b : *high;
  }
  return *low <= *high;
}

/// The scales that codes leave.
static bool pair_scales(const pair_value *d, const uint32_t *code, uint32_t count, double *low, double *high) {
  for (uint32_t i = 0; i < count; i++)
    for (uint32_t k = i + 1; k < count; k++) {
      const double steps = 1.0 / (code[k] - code[i]);
      const double a = (d[k].low - d[i].high) * steps, b = (d[k].high - d[i].low) * steps;
      *low = a > *low ? a : *low;
      *high = b < *high ? b : *high;
    }
  return *low <= *high;
}

static bool pair_fit_span(const pair_value *d, uint32_t count, uint32_t span, uint32_t *code, swzip_lattice_pair *pair) {
  const double first = (d[count - 1].low - d[0].high) / span, last = (d[count - 1].high - d[0].low) / span;
  const double scale = (first + last) / 2, inverse = 1 / scale;
  for (uint32_t i = 0; i < count; i++) {
    const double x = (d[i].value - d[0].value) * inverse, whole = lattice_whole(x);
    const double slack = ((d[i].high - d[i].low) + (d[0].high - d[0].low) + whole * (last - first)) * inverse / 2 + 1e-4;
    code[i] = (uint32_t)whole;
    if (fabs(x - whole) > slack || (i > 0 && code[i] <= code[i - 1])) return false;
  }
  pair->low = first, pair->high = last;
  if (code[count - 1] != span || !pair_scales(d, code, count, &pair->low, &pair->high)) return false;
  // Larger scales leave larger offsets: the ends of the one are those of the other.
  double low, high;
  pair_offsets(d, code, count, pair->low, &low, &high);
  pair->offset_low = -high;
  pair_offsets(d, code, count, pair->high, &low, &high);
  pair->offset_high = -low;
  return pair->offset_low <= pair->offset_high;
}

bool swzip_lattice_fit_pair(swzip_lattice_type type, const void *values, uint32_t count, uint32_t most, swzip_lattice_pair *pair) {
  pair_value d[64 + 1];
  uint32_t code[64];
  float v[256];
  if (count > 256) return false;
  pair_read(type, values, count, v);
  const uint32_t found = pair_distinct(type, v, count, most + 1 < 64 ? most + 1 : 64, d, pair->code);
  if (found == 0) return false;
  if (found == 1) {
    *pair = (swzip_lattice_pair){.offset_low = -d[0].high, .offset_high = -d[0].low};
    return true;
  }
  // Ascending: what more codes explain may be multiples of what fewer do.
  for (uint32_t span = found - 1; span <= most; span++) {
    if (!pair_fit_span(d, found, span, code, pair)) continue;
    for (uint32_t i = 0; i < count; i++) pair->code[i] = (uint8_t)code[pair->code[i]];
    return true;
  }
  return false;
}

bool swzip_lattice_pair_numbers(swzip_lattice_type type, const void *values, uint32_t count, const swzip_lattice_pair *pair,
                                float *scale, float *offset) {
  const uint64_t had = default_environment();
  pair_value d[64 + 1];
  uint32_t code[64];
  uint8_t numbers[256];
  float v[256];
  pair_read(type, values, count, v);
  const uint32_t found = pair_distinct(type, v, count, 64, d, numbers);
  for (uint32_t i = 0; i < count; i++) code[numbers[i]] = pair->code[i];
  float scales[24], offsets[8];
  bool fits = false;
  uint32_t scale_count = halves(pair->low, pair->high, 16, scales);
  for (int t = 1; t < 8; t++) scales[scale_count++] = (float)(pair->low + (pair->high - pair->low) * t / 8);
  for (uint32_t i = 0; i < scale_count && !fits; i++) {
    double low, high;
    if (!pair_offsets(d, code, found, (double)scales[i], &low, &high)) continue;
    uint32_t offset_count = halves(-high, -low, 4, offsets);
    offsets[offset_count++] = (float)(-(low + high) / 2);
    for (uint32_t k = 0; k < offset_count && !fits; k++) {
      *scale = scales[i], *offset = offsets[k];
      fits = pair_misses(type, values, count, pair->code, *scale, *offset) == 0;
    }
  }
  restore_environment(had);
  return fits;
}

bool swzip_lattice_probe_pair(swzip_lattice_type type, const void *values, bool *says) {
  pair_value d[17];
  uint32_t code[16];
  swzip_lattice_pair pair;
  float v[16];
  pair_read(type, values, 16, v);
  const uint32_t found = pair_distinct(type, v, 16, 16, d, NULL);
  *says = found >= 3;
  for (uint32_t span = found - 1; found >= 3 && span < 32; span++)
    if (pair_fit_span(d, found, span, code, &pair)) return true;
  return false;
}
