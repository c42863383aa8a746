// How codes follow from values (spec/codecs/replay.md): a guess of the scales, the scales that the file has, the codes.
#ifndef SWZIP_REPLAY_FORMULA_H
#define SWZIP_REPLAY_FORMULA_H
#include "replay_fields.h"

// What the values alone say of a block's scales.
typedef struct {
  float scale, minimum;
  float group_scale[REPLAY_GROUPS], group_minimum[REPLAY_GROUPS];
} replay_guess;

// Which bits a processor gives what is not a number is its own affair: 0 instead.
INLINE float guess_number(float v) { return (replay_bits(v) & 0x7FFFFFFF) > 0x7F800000 ? 0 : v; }

// Types whose groups have a minimum: the largest code, and the largest scale of a group.
INLINE void guess_ranges(const float *v, unsigned groups, float most_code, float most_scale, replay_guess *g) {
  const unsigned count = REPLAY_MOST / groups;
  int32_t least[REPLAY_GROUPS], most[REPLAY_GROUPS];
  for (unsigned j = 0; j < groups; j++) replay_find_keys(v + j * count, count, least + j, most + j);
  int32_t scale = 0, minimum = 0;
  for (unsigned j = 0; j < groups; j++) {
    float low = replay_of_key(least[j]);
    low = low < 0 ? low : 0;
    g->group_minimum[j] = guess_number(-low);
    g->group_scale[j] = guess_number((replay_of_key(most[j]) - low) / most_code);
    const int32_t s = replay_key(g->group_scale[j]), m = replay_key(g->group_minimum[j]);
    scale = s > scale ? s : scale;
    minimum = m > minimum ? m : minimum;
  }
  g->scale = replay_of_key(scale) / most_scale;
  g->minimum = replay_of_key(minimum) / most_scale;
}

// Types whose groups have none: the least code and the least scale of a group.
INLINE void guess_extremes(const float *v, float least_code, float least_scale, replay_guess *g) {
  for (unsigned j = 0; j < 16; j++) g->group_scale[j] = replay_extreme(v + 16 * j, 16);
  for (unsigned j = 0; j < 16; j++) g->group_scale[j] = guess_number(g->group_scale[j] / least_code);
  g->scale = replay_extreme(g->group_scale, 16) / least_scale;
}

INLINE void replay_guess_of(unsigned type, const float *v, replay_guess *g) {
  g->minimum = 0;
  switch (type) {
    case 2: g->scale = replay_extreme(v, 32) / -8; break;
    case 6: g->scale = replay_extreme(v, 32) / -16; break;
    case 20: g->scale = replay_extreme(v, 32) / -127; break;
    case 8: g->scale = replay_float(replay_magnitude(v, 32)) / 127; break;
    case 3: case 7: {
      const replay_range range = replay_find_range(v, 32);
      g->scale = (range.most - range.least) / (type == 3 ? 15 : 31);
      g->minimum = guess_number(range.least);
      break;
    }
    case 10: guess_ranges(v, 16, 3, 15, g); break;
    case 11: guess_extremes(v, -4, -32, g); break;
    case 12: guess_ranges(v, 8, 15, 63, g); break;
    case 13: guess_ranges(v, 8, 31, 63, g); break;
    case 14: guess_extremes(v, -32, -128, g); break;
    default: g->scale = replay_float(replay_magnitude(v, REPLAY_MOST)); break;
  }
  g->scale = guess_number(g->scale);
}

// The scales of groups given that of the block, as stored.
INLINE void guess_stored(const float *values, unsigned count, float unit, float low, float high, int32_t bias, uint8_t *stored) {
  if (unit == 0) {
    memset(stored, (uint8_t)(replay_nearest(replay_clamp(0, low, high)) + bias), count);
    return;
  }
  for (unsigned j = 0; j < count; j++)
    stored[j] = (uint8_t)(replay_nearest(replay_clamp(values[j] / unit, low, high)) + bias);
}
INLINE void replay_guess_scales(unsigned type, const replay_guess *g, uint16_t scale, uint16_t minimum, uint8_t *scales,
                                uint8_t *minima) {
  const replay_shape shape = replay_shape_of(type);
  const float d = replay_from_f16(scale);
  if (type == 11) {
    guess_stored(g->group_scale, shape.groups, d, -32, 31, 32, scales);
  } else if (type == 14) {
    guess_stored(g->group_scale, shape.groups, d, -128, 127, 0, scales);
  } else {
    const float top = (float)((1 << shape.scale_bits) - 1);
    guess_stored(g->group_scale, shape.groups, d, 0, top, 0, scales);
    guess_stored(g->group_minimum, shape.groups, replay_from_f16(minimum), 0, top, 0, minima);
  }
}

// Half away from zero. Adding a half would round what is just below it.
INLINE int32_t replay_rounded(float y, float low, float high) {
  y = replay_clamp(y, low, high);
  const int32_t whole = (int32_t)y;
  const float rest = y - (float)whole;
  return whole + (rest >= 0.5f) - (rest <= -0.5f);
}

// Codes of a block with one scale. `d` and `m`: as they were before they were rounded to two bytes, where that is known.
INLINE void codes_plain(unsigned type, const float *v, unsigned count, float d, float m, uint8_t *codes) {
  const float by = replay_inverse(d);
  if (type == 20) {
    // Between -127 -104 -83 -65 -49 -35 -22 -10 1 13 25 38 53 69 89 113: in wholes, and in halves above a whole.
    static const int8_t wholes[9] = {-74, -57, -42, -16, 7, 19, 61, 79, 101}, halves[6] = {-115, -93, -28, -4, 32, 46};
    int8_t down[32], up[32], code[32] = {0};
    for (unsigned i = 0; i < 32; i++) {
      const float y = replay_clamp(2 * (v[i] * by), -256, 253);
      const int32_t half = (int32_t)y - ((float)(int32_t)y > y);  // rounded down
      down[i] = (int8_t)(half >> 1);
      up[i] = (int8_t)((half + 1) >> 1);
    }
    for (unsigned k = 0; k < 9; k++)
      for (unsigned i = 0; i < 32; i++) code[i] = (int8_t)(code[i] + (down[i] >= wholes[k]));
    for (unsigned k = 0; k < 6; k++)
      for (unsigned i = 0; i < 32; i++) code[i] = (int8_t)(code[i] + (up[i] >= halves[k]));
    memcpy(codes, code, 32);
  } else if (type == 2 || type == 6) {
    const float middle = type == 2 ? 8.5f : 16.5f, top = type == 2 ? 15 : 31;
    for (unsigned i = 0; i < 32; i++) codes[i] = (uint8_t)(int32_t)replay_clamp(v[i] * by + middle, 0, top);
  } else if (type == 3 || type == 7) {
    const float top = type == 3 ? 15 : 31;
    for (unsigned i = 0; i < 32; i++) codes[i] = (uint8_t)(int32_t)replay_clamp((v[i] - m) * by + 0.5f, 0, top);
  } else if (type == 8) {
    for (unsigned i = 0; i < 32; i++) codes[i] = (uint8_t)(replay_rounded(v[i] * by, -128, 127) + 128);
  } else {
    for (unsigned i = 0; i < count; i++) codes[i] = (uint8_t)(replay_rounded(v[i] * by, -1, 1) + 1);
  }
}

INLINE void codes_group(const float *v, unsigned count, float s, float m, float low, float high, uint8_t *codes) {
  for (unsigned i = 0; i < count; i++)
    codes[i] = (uint8_t)(replay_nearest(replay_clamp((v[i] + m) / s, low, high)) - (int32_t)low);
}

INLINE void replay_codes(unsigned type, const float *v, const replay_guess *g, replay_fields *f) {
  const replay_shape shape = replay_shape_of(type);
  float d = replay_from_f16(f->scale), m = replay_from_f16(f->minimum);
  if (shape.groups == 0) {
    if (f->scale == replay_to_f16(g->scale)) d = g->scale;
    if (f->minimum == replay_to_f16(g->minimum)) m = g->minimum;
    codes_plain(type, v, shape.elements, d, m, f->codes);
    return;
  }
  const unsigned count = REPLAY_MOST / shape.groups;
  for (unsigned j = 0; j < shape.groups; j++) {
    const float *const from = v + j * count;
    uint8_t *const to = f->codes + j * count;
    if (type == 11 || type == 14) {
      float s = d * (float)(type == 11 ? (int32_t)f->scales[j] - 32 : (int32_t)(int8_t)f->scales[j]);
      if (s == 0) s = g->group_scale[j];
      if (type == 11) codes_group(from, count, s, 0, -4, 3, to);
      else codes_group(from, count, s, 0, -32, 31, to);
    } else {
      const float top = (float)((1 << shape.code_bits) - 1);
      float s = d * (float)f->scales[j], by = m * (float)f->minima[j];
      if (s == 0) s = g->group_scale[j], by = g->group_minimum[j];
      codes_group(from, count, s, by, 0, top, to);
    }
  }
}

// MARK: blocks

INLINE void replay_decode_type(unsigned type, swzip_replay_source source, const swzip_replay_block *block,
                               const uint8_t *x, uint8_t *out) {
  const replay_shape shape = replay_shape_of(type);
  const size_t width = source == SWZIP_REPLAY_F32 ? 4 : 2;
  const uint8_t code_mask = (uint8_t)((1u << shape.code_bits) - 1), scale_mask = (uint8_t)((1u << shape.scale_bits) - 1);
  size_t next = 0;
  for (size_t i = 0; i < block->count; i++) {
    float v[REPLAY_MOST];
    replay_guess guess;
    replay_fields fields;
    replay_load(source, x + i * shape.elements * width, shape.elements, v);
    replay_guess_of(type, v, &guess);
    fields.scale = (uint16_t)(replay_to_f16(guess.scale) + (uint32_t)block->scale[i]);
    fields.minimum = 0;
    if (shape.has_minimum) fields.minimum = (uint16_t)(replay_to_f16(guess.minimum) + (uint32_t)block->minimum[i]);
    if (shape.groups > 0) {
      replay_guess_scales(type, &guess, fields.scale, fields.minimum, fields.scales, fields.minima);
      for (unsigned j = 0; j < shape.groups; j++) {
        const size_t at = i * shape.groups + j;
        fields.scales[j] = (uint8_t)(fields.scales[j] + replay_unfold(block->scales[at])) & scale_mask;
        if (shape.has_minimum)
          fields.minima[j] = (uint8_t)(fields.minima[j] + replay_unfold(block->minima[at])) & scale_mask;
      }
    }
    replay_codes(type, v, &guess, &fields);
    for (const size_t end = (i + 1) * shape.elements; next < block->changed && block->places[next] < end; next++) {
      uint8_t *const code = fields.codes + (block->places[next] - i * shape.elements);
      *code = (uint8_t)(*code + replay_unfold(block->changes[next])) & code_mask;
    }
    replay_put(type, &fields, out + i * shape.bytes);
  }
}

INLINE size_t replay_encode_type(unsigned type, swzip_replay_source source, const swzip_replay_block *block,
                                 const uint8_t *x, const uint8_t *in, size_t most) {
  const replay_shape shape = replay_shape_of(type);
  const size_t width = source == SWZIP_REPLAY_F32 ? 4 : 2;
  size_t found = 0;
  for (size_t i = 0; i < block->count; i++) {
    float v[REPLAY_MOST];
    replay_guess guess;
    replay_fields fields;
    uint8_t codes[REPLAY_MOST], scales[REPLAY_GROUPS], minima[REPLAY_GROUPS];
    replay_load(source, x + i * shape.elements * width, shape.elements, v);
    replay_guess_of(type, v, &guess);
    replay_take(type, in + i * shape.bytes, &fields);
    if (type == 34) {  // not every byte is five digits
      uint8_t again[54];
      replay_put(type, &fields, again);
      if (memcmp(again, in + i * shape.bytes, sizeof again)) return most + 1;
    }
    block->scale[i] = (int16_t)(fields.scale - replay_to_f16(guess.scale));
    if (shape.has_minimum) block->minimum[i] = (int16_t)(fields.minimum - replay_to_f16(guess.minimum));
    if (shape.groups > 0) {
      replay_guess_scales(type, &guess, fields.scale, fields.minimum, scales, minima);
      for (unsigned j = 0; j < shape.groups; j++) {
        const size_t at = i * shape.groups + j;
        block->scales[at] = replay_fold(fields.scales[j] - scales[j], shape.scale_bits);
        if (shape.has_minimum) block->minima[at] = replay_fold(fields.minima[j] - minima[j], shape.scale_bits);
      }
    }
    memcpy(codes, fields.codes, shape.elements);
    replay_codes(type, v, &guess, &fields);
    if (!memcmp(codes, fields.codes, shape.elements)) continue;
    for (unsigned k = 0; k < shape.elements; k++) {
      if (codes[k] == fields.codes[k]) continue;
      if (found == most) return most + 1;
      block->places[found] = (uint32_t)(i * shape.elements + k);
      block->changes[found++] = replay_fold(codes[k] - fields.codes[k], shape.code_bits);
    }
  }
  return found;
}

#define REPLAY_EACH(M) M(2) M(3) M(6) M(7) M(8) M(10) M(11) M(12) M(13) M(14) M(20) M(34) M(35)

INLINE void replay_decode_by(const swzip_replay *replay, const swzip_replay_block *block, const void *x, void *out) {
  switch (replay->type) {
#define DECODE(type) case type: replay_decode_type(type, replay->source, block, x, out); break;
    REPLAY_EACH(DECODE)
#undef DECODE
  }
}
INLINE size_t replay_encode_by(const swzip_replay *replay, const swzip_replay_block *block, const void *x, const void *in,
                               size_t most) {
  switch (replay->type) {
#define ENCODE(type) case type: return replay_encode_type(type, replay->source, block, x, in, most);
    REPLAY_EACH(ENCODE)
#undef ENCODE
  }
  return most + 1;
}
#endif
