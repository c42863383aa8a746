// The scale of a group (spec/codecs/lattice.md): each value and its code bound the scale by an interval, half a last place over the
// code; what they have in common is 2^-8 to 2^-14 wide for 16-bit types. The code of the largest value is guessed.
#ifndef SWZIP_LATTICE_FIT_H
#define SWZIP_LATTICE_FIT_H
#include <math.h>

#include "lattice_search.h"

// ---------------------------------------------------------------- the values of a group

// Groups of more values are fitted by the distinct ones.
enum { MOST_DIRECT = 256, MOST_DISTINCT = 640, PLACES = 2048 };

/// Values, and what bounds a scale: the sizes that are rounded to each. Zeros, which bound nothing, are among them.
typedef struct {
  uint32_t count, largest;
  uint32_t others;              // that are not zero
  unsigned zeros;               // bit 0: some are 0; bit 1: some are -0
  float value[MOST_DISTINCT + 4];
  double low[MOST_DISTINCT + 4], high[MOST_DISTINCT + 4];
} fit_values;

/// Sizes, of those values that are there, and what they are rounded from.
INLINE void fit_bound(swzip_lattice_type type, fit_values *values) {
  const float least = type == SWZIP_LATTICE_F16 ? 0x1p-14f : 0x1p-126f;
  const float digits = type == SWZIP_LATTICE_BF16 ? 0x1p-8f : type == SWZIP_LATTICE_F16 ? 0x1p-11f : 0x1p-24f;
  const unsigned last = type == SWZIP_LATTICE_BF16 ? 16 : type == SWZIP_LATTICE_F16 ? 13 : 0;
  for (uint32_t i = 0; i < values->count; i++) {
    const uint32_t bits = float_bits(values->value[i]) & 0x7FFFFFFF;
    const float size = bits_float(bits), power = bits_float(bits & 0x7F800000);
    // Half a last place. Halves are rounded to even: to an odd value none is.
    const double half = (double)(power > least ? power : least) * (double)digits * (bits >> last & 1 ? 1 - 0x1p-16 : 1);
    values->low[i] = (double)size - (power == size && power > least ? half / 2 : half);
    values->high[i] = (double)size + half;
  }
  uint32_t largest = 0, plus = 0, minus = 0;
  for (uint32_t i = 0; i < values->count; i++) {
    const uint32_t bits = float_bits(values->value[i]), magnitude = bits & 0x7FFFFFFF;
    plus += bits == 0, minus += bits == 0x80000000;
    values->low[i] = magnitude ? values->low[i] : 0;
    values->high[i] = magnitude ? values->high[i] : (double)INFINITY;
    largest = magnitude > largest ? magnitude : largest;
  }
  values->zeros = (plus ? 1u : 0) | (minus ? 2u : 0);
  values->others = values->count - plus - minus;
  const uint32_t most = largest;
  largest = 0;
  while (largest + 1 < values->count && (float_bits(values->value[largest]) & 0x7FFFFFFF) != most) largest++;
  values->largest = largest;
}

/// False if one is no finite number, or more than `most` are distinct.
INLINE bool fit_load_of(swzip_lattice_type type, const uint8_t *bytes, uint32_t count, size_t stride, uint32_t length, uint32_t most,
                        fit_values *values) {
  const uint32_t width = type == SWZIP_LATTICE_F32 ? 4 : 2;
  values->count = values->largest = values->others = 0;
  values->zeros = 0;
  if (count * (uint64_t)length <= MOST_DIRECT) {
    for (uint32_t r = 0; r < count; r++) {
      const uint8_t *const row = bytes + r * stride * width;
      float *const out = values->value + values->count;
      for (uint32_t c = 0; c < length; c++) {
        uint32_t bits;
        out[c] = type == SWZIP_LATTICE_F16 ? lattice_half(load16(row + c * width)) : lattice_read(type, row, c, &bits);
      }
      values->count += length;
    }
  } else {
    uint32_t seen[PLACES], last = 0x12345;
    uint8_t taken[PLACES];
    memset(taken, 0, sizeof taken);
    for (uint32_t r = 0; r < count; r++)
      for (uint32_t c = 0; c < length; c++) {
        uint32_t bits;
        const float v = lattice_read(type, bytes + (r * stride + c) * width, 0, &bits);
        if (bits == last) continue;
        last = bits;
        uint32_t at = (bits * 0x9E3779B1u) >> 21;
        while (taken[at] && seen[at] != bits) at = (at + 1) & (PLACES - 1);
        if (taken[at]) continue;
        if (values->count == most) return false;
        taken[at] = 1, seen[at] = bits;
        values->value[values->count++] = v;
      }
  }
  bool finite = true;
  for (uint32_t i = 0; i < values->count; i++) finite &= (float_bits(values->value[i]) & 0x7F800000) != 0x7F800000;
  if (finite) fit_bound(type, values);
  return finite;
}

INLINE bool fit_load(swzip_lattice_type type, const uint8_t *bytes, uint32_t count, size_t stride, uint32_t length, uint32_t most,
                     fit_values *values) {
  switch (type) {  // a loop for each
    case SWZIP_LATTICE_BF16: return fit_load_of(SWZIP_LATTICE_BF16, bytes, count, stride, length, most, values);
    case SWZIP_LATTICE_F16: return fit_load_of(SWZIP_LATTICE_F16, bytes, count, stride, length, most, values);
    default: return fit_load_of(SWZIP_LATTICE_F32, bytes, count, stride, length, most, values);
  }
}

// ---------------------------------------------------------------- the scale that they have in common

typedef struct { double low, high; } interval;

/// What the values whose codes are at most `most` have in common with `of`, by codes for the scale in the middle.
INLINE interval narrowed(const swzip_lattice_search *search, const fit_values *values, bool negative, float most, interval of) {
  const float by = (float)((negative ? -2 : 2) / (of.low + of.high));
  for (uint32_t i = 0; i < values->count; i++) {
    const float x = values->value[i] * by;
    if (x == 0) continue;
    const uint32_t at = lattice_nearest(search, x);
    const float code = search->code[at];
    if (fabsf(code) > most) continue;
    if (!(code * x > 0)) return (interval){1, 0};
    const double low = values->low[i] * search->inverse[at], high = values->high[i] * search->inverse[at];
    of.low = low > of.low ? low : of.low;
    of.high = high < of.high ? high : of.high;
    if (of.low > of.high) break;
  }
  return of;
}

enum { LANES = 4 };
typedef float lane_floats __attribute__((vector_size(4 * LANES)));
typedef int32_t lane_integers __attribute__((vector_size(4 * LANES)));
typedef double lane_doubles __attribute__((vector_size(8 * LANES)));
typedef int64_t lane_masks __attribute__((vector_size(8 * LANES)));

// Macros: functions would pass vectors that a processor without AVX has no registers for.
#define LANES_OF(v) ((lane_doubles){(v), (v), (v), (v)})
#define LANES_CHOSEN(mask, yes, no) ((lane_doubles)(((lane_masks)(yes) & (mask)) | ((lane_masks)(no) & ~(mask))))

/// The same where codes are integers: computed, a few values at a time. There is room for whole lanes behind the values.
INLINE interval narrowed_integers(const swzip_lattice_search *search, fit_values *values, bool negative, float most, interval of) {
  const float by = (float)((negative ? -2 : 2) / (of.low + of.high));
  const lane_doubles below = LANES_OF((double)-search->code[0]), above = LANES_OF((double)search->code[search->count - 1]);
  lane_doubles low = LANES_OF(of.low), high = LANES_OF(of.high);
  for (uint32_t i = values->count; i % LANES; i++) values->value[i] = 0, values->low[i] = 0, values->high[i] = (double)INFINITY;
  for (uint32_t i = 0; i < values->count; i += LANES) {
    lane_floats x;
    lane_doubles least, greatest;
    memcpy(&x, values->value + i, sizeof x);
    memcpy(&least, values->low + i, sizeof least);
    memcpy(&greatest, values->high + i, sizeof greatest);
    const lane_doubles wide = __builtin_convertvector(x * by, lane_doubles), size = __builtin_elementwise_abs(wide);
    const lane_doubles limit = LANES_CHOSEN(wide < 0, below, above), kept = __builtin_elementwise_min(size, limit) + 0.5;
    const lane_doubles whole = __builtin_convertvector(__builtin_convertvector(kept, lane_integers), lane_doubles);
    const lane_doubles inverse = LANES_CHOSEN(whole > 0, 1 / whole, LANES_OF(1e300));
    const lane_masks skips = whole > (double)most;
    low = __builtin_elementwise_max(low, LANES_CHOSEN(skips, LANES_OF(0), least * inverse));
    high = __builtin_elementwise_min(high, LANES_CHOSEN(skips, LANES_OF(1e300), greatest * inverse));
    const lane_masks apart = low > high;
    if (apart[0] | apart[1] | apart[2] | apart[3]) return (interval){1, 0};
  }
  for (int k = 0; k < LANES; k++) {
    of.low = low[k] > of.low ? low[k] : of.low;
    of.high = high[k] < of.high ? high[k] : of.high;
  }
  return of;
}

/// The same of all but the values that have no code, which it counts up to `allowed` and one more.
INLINE interval narrowed_by_most(const swzip_lattice_search *search, const fit_values *values, bool negative, uint32_t allowed,
                                 interval of, uint32_t *misses) {
  *misses = 0;
  for (uint32_t i = 0; i < values->count && *misses <= allowed; i++) {
    if (values->value[i] == 0) continue;
    const float by = (float)((negative ? -2 : 2) / (of.low + of.high));
    const float x = values->value[i] * by, code = search->code[lattice_nearest(search, x)];
    const double low = values->low[i] / fabs((double)code), high = values->high[i] / fabs((double)code);
    const interval both = {low > of.low ? low : of.low, high < of.high ? high : of.high};
    if (code * x > 0 && both.low <= both.high) of = both; else ++*misses;
  }
  return of;
}

typedef struct {
  swzip_lattice_type type;
  const swzip_lattice_search *search;
  const swzip_lattice_tops *tops;
  fit_values *values;
  uint32_t allowed;
} fit_job;

INLINE bool fit_side(const fit_job *job, float value, double low, double high, float top, bool negative, swzip_lattice_fit *fit) {
  const float code = (value > 0) != negative ? top : -top;
  if (job->search->code[lattice_nearest(job->search, code)] != code) return false;
  interval of = {low / (double)top, high / (double)top};
  uint32_t misses = 0;
  if (job->allowed > 0) {
    of = narrowed_by_most(job->search, job->values, negative, job->allowed, of, &misses);
    if (misses > job->allowed) return false;
  } else {
    // Small codes first where codes are dense: those are certain while the scale is not.
    const float spacing = job->search->is_integers && top > 16 ? top / 8 : INFINITY;
    for (float most = spacing; of.low <= of.high; most *= 3) {
      of = job->search->is_integers ? narrowed_integers(job->search, job->values, negative, most, of)
                                    : narrowed(job->search, job->values, negative, most, of);
      if (most >= top) break;
    }
    if (of.low > of.high) return false;
  }
  *fit = (swzip_lattice_fit){.low = of.low, .high = of.high, .negative = negative, .misses = misses};
  return true;
}

INLINE bool fit_top(const fit_job *job, uint32_t anchor, uint32_t number, swzip_lattice_fit *fit) {
  const fit_values *const values = job->values;
  const float top = job->tops->candidate[number], value = values->value[anchor];
  const double low = values->low[anchor], high = values->high[anchor];
  bool first = false, both = job->tops->takes_negative;
  if (both && (values->zeros == 1 || values->zeros == 2)) {
    first = values->zeros == 2, both = false;  // a zero has the sign of its scale
  } else if (both) {
    first = (float_bits(top) & 0x7FFFFF) == 0 && top > 2 && value > 0;  // a power of two is rather the code below zero
  }
  // The other sign says the same of integers, but for the one that has no opposite.
  both &= !(job->search->is_integers && top < fabsf(job->search->code[0]));
  if (!fit_side(job, value, low, high, top, first, fit) && !(both && fit_side(job, value, low, high, top, !first, fit)))
    return false;
  fit->top = number;
  return true;
}

INLINE bool fit_anchor(const fit_job *job, uint32_t anchor, uint32_t hint, swzip_lattice_fit *fit) {
  if (fit_top(job, anchor, hint, fit)) {
    // Of integers, whose tops ascend from 1, the half may do as well: then all codes would be even.
    for (uint32_t top = hint + 1; job->search->is_integers && top % 2 == 0; top /= 2) {
      swzip_lattice_fit finer;
      if (!fit_top(job, anchor, top / 2 - 1, &finer)) break;
      *fit = finer;
    }
    return true;
  }
  for (uint32_t number = 0; number < job->tops->count; number++)
    if (number != hint && fit_top(job, anchor, number, fit)) return true;
  return false;
}

INLINE bool lattice_fit_group_by(swzip_lattice_type type, const swzip_lattice_search *search, const swzip_lattice_tops *tops,
                             const void *bytes, uint32_t count, size_t stride, uint32_t length, uint32_t hint, bool exactly,
                             swzip_lattice_fit *fit) {
  fit_values values;
  // Zeros of both signs are two.
  const uint32_t most = search->count + 2 + (exactly ? 0 : search->count / 16);
  if (!fit_load(type, bytes, count, stride, length, most < MOST_DISTINCT ? most : MOST_DISTINCT, &values)) return false;
  if (values.others == 0) {
    *fit = (swzip_lattice_fit){.low = 0, .high = (double)INFINITY, .negative = values.zeros == 2 && tops->takes_negative};
    return true;
  }
  fit_job job = {type, search, tops, &values, 0};
  bool fits = fit_anchor(&job, values.largest, hint, fit);
  job.allowed = values.others / 16;
  if (!fits && !exactly && job.allowed > 0) {
    // The largest may be one of those that miss.
    float limit = INFINITY;
    for (uint32_t tries = 0; !fits && tries < 3; tries++) {
      uint32_t anchor = values.count;
      for (uint32_t i = 0; i < values.count; i++)
        if (fabsf(values.value[i]) < limit && (anchor == values.count || fabsf(values.value[i]) > fabsf(values.value[anchor]))) anchor = i;
      if (anchor == values.count) break;
      limit = fabsf(values.value[anchor]);
      fits = fit_anchor(&job, anchor, hint, fit);
    }
  }
  return fits;
}
#endif
