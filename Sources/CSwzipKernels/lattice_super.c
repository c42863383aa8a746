// Super-blocks as ggml has them (spec/codecs/lattice.md): scales and offsets of their groups are integers times a number of F16.
#include <math.h>

#include "lattice_pair.h"

/// Narrows the numbers that, times integers from 0 to `most`, lie within the bounds of all groups but some; returns how many these are.
static uint32_t super_narrow(const double *low, const double *high, uint32_t count, uint32_t most, uint32_t top, uint32_t allowed,
                             double *least, double *greatest, uint8_t *integers) {
  uint32_t misses = 0;
  // Small integers are certain first.
  for (int pass = 0; pass < 3 && misses <= allowed; pass++) {
    misses = 0;
    for (uint32_t i = 0; i < count && misses <= allowed; i++) {
      const double whole = lattice_whole((low[i] + high[i]) / (*least + *greatest));
      if (whole <= most && whole > (pass == 0 ? top / 8.0 : pass == 1 ? top / 2.0 : most)) continue;
      integers[i] = (uint8_t)(whole < most ? whole : most);
      const double a = whole > 0 ? low[i] / whole : 0, b = whole > 0 ? high[i] / whole : (double)INFINITY;
      const double above = a > *least ? a : *least, below = b < *greatest ? b : *greatest;
      if (whole > most || (whole == 0 && low[i] > 0) || above > below * (1 + 1e-12)) { misses++; continue; }
      *least = above, *greatest = below > above ? below : above;
    }
  }
  return misses;
}

/// These numbers, and the integers; false if more than `allowed` groups miss.
static bool super_numbers(const double *low, const double *high, uint32_t count, uint32_t most, uint32_t allowed, double *least,
                          double *greatest, uint8_t *integers) {
  uint32_t largest = 0;
  for (uint32_t i = 1; i < count; i++) if (high[i] > high[largest]) largest = i;
  memset(integers, 0, count);
  *least = *greatest = 0;
  if (!(high[largest] > 0)) return true;
  for (uint32_t top = most; top > 0 && low[largest] > 0; top--) {
    *least = low[largest] / top, *greatest = high[largest] / top;
    if (super_narrow(low, high, count, most, top, allowed, least, greatest, integers) <= allowed) return true;
  }
  return false;
}

/// A group of a super-block: bounds of its scale and offset, and its codes, of which the least may be above 0.
typedef struct {
  const uint8_t *values;
  double low, high, offset_low, offset_high;
  uint8_t code[256], largest;
} super_group;

static bool super_fit_group(swzip_lattice_type type, uint32_t length, uint32_t most, super_group *group) {
  swzip_lattice_pair pair;
  if (!swzip_lattice_fit_pair(type, group->values, length, most, &pair)) return false;
  *group = (super_group){group->values, pair.low, pair.high, pair.offset_low, pair.offset_high, {0}, 0};
  if (pair.high == 0) return pair.offset_high >= 0;
  // Offsets are not below zero: then the least code is above it.
  double shift = pair.offset_high < 0 ? lattice_whole(-pair.offset_high / pair.high) : 0;
  if (shift * pair.high < -pair.offset_high) shift++;
  group->offset_low += shift * pair.low, group->offset_high += shift * pair.high;
  for (uint32_t i = 0; i < length; i++) {
    if ((double)pair.code[i] + shift > (double)most) return false;
    group->code[i] = (uint8_t)(pair.code[i] + (uint8_t)shift);
    if (group->code[i] > group->largest) group->largest = group->code[i];
  }
  return group->offset_high >= 0;
}

/// The misses of a group by two factors; finds the integer of its offset, which codes that begin higher may make another one.
static uint32_t super_misses(swzip_lattice_type type, const super_group *group, uint32_t length, uint32_t most, uint32_t most_scale,
                             const float factors[2], uint8_t scale, uint8_t *offset) {
  const float by = factors[0] * scale;
  uint32_t best = pair_misses(type, group->values, length, group->code, by, factors[1] * *offset);
  uint8_t code[256];
  for (uint32_t shift = 1; best > 0 && scale > 0 && group->largest + shift <= most; shift++) {
    const double middle = (group->offset_low + group->offset_high + shift * (group->low + group->high)) / 2;
    const double whole = factors[1] > 0 ? lattice_whole(middle / (double)factors[1]) : 0;
    if (whole > (double)most_scale) break;
    for (uint32_t i = 0; i < length; i++) code[i] = (uint8_t)(group->code[i] + shift);
    const uint32_t misses = pair_misses(type, group->values, length, code, by, factors[1] * (float)whole);
    if (misses < best) best = misses, *offset = (uint8_t)whole;
  }
  return best;
}

bool swzip_lattice_fit_super(swzip_lattice_type type, const void *bytes, uint32_t groups, uint32_t length, uint32_t most,
                             uint32_t most_scale, uint8_t *scales, uint8_t *offsets, float *scale, float *offset) {
  const uint32_t width = type == SWZIP_LATTICE_F32 ? 4 : 2;
  super_group group[16];
  double low[2][16], high[2][16], least[2], greatest[2];
  uint8_t *const integers[2] = {scales, offsets};
  bool fits = groups <= 16 && groups * length <= 256;
  for (uint32_t g = 0; g < groups && fits; g++) {
    group[g].values = (const uint8_t *)bytes + (size_t)g * length * width;
    fits = super_fit_group(type, length, most, &group[g]);
    low[0][g] = group[g].low, high[0][g] = group[g].high;
    low[1][g] = group[g].offset_low > 0 ? group[g].offset_low : 0, high[1][g] = group[g].offset_high;
  }
  for (int i = 0; i < 2 && fits; i++)
    for (uint32_t allowed = 0; !(fits = super_numbers(low[i], high[i], groups, most_scale, allowed, &least[i], &greatest[i], integers[i])) &&
                               allowed < groups / 2; allowed += groups / 4) {}
  if (!fits) return false;
  const uint64_t had = default_environment();
  float factors[2][17];
  uint32_t counts[2], fewest = UINT32_MAX;
  uint8_t best[16];
  for (int i = 0; i < 2; i++) {
    counts[i] = halves(least[i], greatest[i], 16, factors[i]);
    if (counts[i] == 0) factors[i][counts[i]++] = lattice_half(round_f16((float)((least[i] + greatest[i]) / 2)));
  }
  for (uint32_t i = 0; i < counts[0] && fewest > 0; i++)
    for (uint32_t k = 0; k < counts[1] && fewest > 0; k++) {
      const float both[2] = {factors[0][i], factors[1][k]};
      uint8_t mine[16];
      memcpy(mine, offsets, groups);
      uint32_t misses = 0;
      for (uint32_t g = 0; g < groups && misses < fewest; g++)
        misses += super_misses(type, &group[g], length, most, most_scale, both, scales[g], &mine[g]);
      if (misses >= fewest) continue;
      fewest = misses;
      *scale = both[0], *offset = both[1];
      memcpy(best, mine, groups);
    }
  memcpy(offsets, best, groups);
  restore_environment(had);
  return fewest == 0;
}

/// How many of a group's values are no integers from -128 to 127 times a scale; at most `most` and one more.
static uint32_t integer_misses(swzip_lattice_type type, const uint8_t *values, uint32_t count, float scale, uint32_t most) {
  uint32_t misses = 0;
  for (uint32_t i = 0; i < count && misses <= most; i++) {
    uint32_t bits;
    const float v = lattice_read(type, values, i, &bits), whole = (float)lattice_whole((double)(v / scale));
    misses += !(whole >= -128 && whole <= 127) || lattice_round(type, (whole + 0.0f) * scale) != bits;
  }
  return misses;
}

bool swzip_lattice_fit_products(swzip_lattice_type type, const void *bytes, uint32_t groups, uint32_t length, const double *low,
                                const double *high, const bool *negative, int8_t *scales, float *scale) {
  const uint8_t *const values = bytes;
  const uint32_t width = type == SWZIP_LATTICE_F32 ? 4 : 2;
  uint32_t largest = groups, fewest = UINT32_MAX;
  for (uint32_t g = 0; g < groups; g++)
    if (high[g] < (double)INFINITY && (largest == groups || high[g] > high[largest])) largest = g;
  memset(scales, 0, groups);
  *scale = 0;
  if (largest == groups) return true;
  double sizes_low[16], sizes_high[16], least, greatest;
  uint8_t integers[16];
  for (uint32_t g = 0; g < groups; g++) {
    const bool any = !(high[g] < (double)INFINITY);
    sizes_low[g] = any ? 0 : low[g], sizes_high[g] = any ? 0 : high[g];
  }
  const uint64_t had = default_environment();
  for (uint32_t allowed = 0; allowed <= groups / 4 && fewest > 0; allowed += groups / 4) {
    if (!super_numbers(sizes_low, sizes_high, groups, 128, allowed, &least, &greatest, integers)) continue;
    float factors[17];
    uint32_t count = halves(least, greatest, 16, factors);
    if (count == 0) factors[count++] = lattice_half(round_f16((float)((least + greatest) / 2)));
    for (uint32_t i = 0; i < count && fewest > 0; i++)
      // An integer of 128 is one below zero.
      for (int side = 0; side < 2 && fewest > 0; side++) {
        const float factor = side ? -factors[i] : factors[i];
        int8_t mine[16];
        uint32_t misses = 0;
        for (uint32_t g = 0; g < groups && misses < fewest; g++) {
          const uint8_t *const group = values + (size_t)g * length * width;
          const double middle = (sizes_low[g] + sizes_high[g]) / 2, whole = lattice_whole((negative[g] ? -middle : middle) / (double)factor);
          mine[g] = (int8_t)(whole > -128 ? whole < 127 ? whole : 127 : -128);
          if (sizes_high[g] == 0) { mine[g] = 0; continue; }
          uint32_t best = integer_misses(type, group, length, (float)mine[g] * factor, length);
          // What is not on the line was fitted by another multiple.
          for (int32_t k = -128; k < 128 && best > 0; k++) {
            if (k == 0) continue;
            const uint32_t other = integer_misses(type, group, length, (float)k * factor, best - 1);
            if (other < best) best = other, mine[g] = (int8_t)k;
          }
          misses += best;
        }
        if (misses >= fewest) continue;
        fewest = misses;
        *scale = factor;
        memcpy(scales, mine, groups);
      }
    if (groups / 4 == 0) break;
  }
  restore_environment(had);
  return fewest == 0;
}
