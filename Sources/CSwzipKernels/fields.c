// Records of several fields to one plane for each field, and back.
#include <string.h>

#include "swzip_kernels.h"

// Copies `count` pieces of `size` bytes; each step ends at a constant size, which is a few instructions.
static void copy_pieces(uint8_t *to, size_t to_step, const uint8_t *from, size_t from_step, uint32_t count,
                        size_t size) {
#define FIXED(bytes)                                                                      \
  case bytes:                                                                             \
    for (uint32_t i = 0; i < count; i++) memcpy(to + i * to_step, from + i * from_step, bytes); \
    break
  switch (size) {
    FIXED(1);
    FIXED(4);
    FIXED(16);
    FIXED(32);
    FIXED(64);
    FIXED(128);
    default:
      for (uint32_t i = 0; i < count; i++) memcpy(to + i * to_step, from + i * from_step, size);
  }
#undef FIXED
}

static size_t record_bytes(const uint32_t *sizes, unsigned fields) {
  size_t width = 0;
  for (unsigned field = 0; field < fields; field++) width += sizes[field];
  return width;
}

void swzip_fields_split(const void *values, uint32_t count, const uint32_t *sizes, unsigned fields,
                        uint8_t *const *planes) {
  const size_t width = record_bytes(sizes, fields);
  const uint8_t *from = values;
  for (unsigned field = 0; field < fields; field++) {
    copy_pieces(planes[field], sizes[field], from, width, count, sizes[field]);
    from += sizes[field];
  }
}

void swzip_fields_merge(const uint8_t *const *planes, uint32_t count, const uint32_t *sizes, unsigned fields,
                        void *out) {
  const size_t width = record_bytes(sizes, fields);
  uint8_t *to = out;
  for (unsigned field = 0; field < fields; field++) {
    copy_pieces(to, width, planes[field], sizes[field], count, sizes[field]);
    to += sizes[field];
  }
}

static uint16_t scale_key(const uint8_t *const scale[4], uint32_t i) {
  const unsigned d = scale[0][i] | (unsigned)scale[1][i] << 8;
  return (uint16_t)(scale[2] ? (scale[2][i] | (unsigned)scale[3][i] << 8) - d : d);
}

void swzip_scale_bounds(const uint8_t *const scale[4], uint32_t count, uint16_t bounds[3]) {
  enum { shift = 4, bins = 1 << (16 - shift) };
  uint32_t counts[bins] = {0}, seen = 0;
  for (uint32_t i = 0; i < count; i++) counts[scale_key(scale, i) >> shift]++;
  unsigned next = 0;
  for (unsigned bin = 0; bin < bins && next < 3; bin++) {
    while (next < 3 && seen >= (uint64_t)count * (next + 1) / 4) bounds[next++] = (uint16_t)(bin << shift);
    seen += counts[bin];
  }
  while (next < 3) bounds[next++] = UINT16_MAX;
}

void swzip_scale_groups(const uint8_t *const scale[4], uint32_t count, const uint16_t bounds[3], uint8_t *groups,
                        uint32_t sizes[4]) {
  for (unsigned group = 0; group < 4; group++) sizes[group] = 0;
  for (uint32_t i = 0; i < count; i++) {
    const uint16_t key = scale_key(scale, i);
    const unsigned group = (unsigned)(key >= bounds[0]) + (key >= bounds[1]) + (key >= bounds[2]);
    groups[i] = (uint8_t)group;
    sizes[group]++;
  }
}

void swzip_fields_group(const uint8_t *plane, uint32_t count, uint32_t size, const uint8_t *groups,
                        uint8_t *const *group_planes) {
  uint8_t *to[4] = {group_planes[0], group_planes[1], group_planes[2], group_planes[3]};
  for (uint32_t i = 0; i < count; i++) {
    memcpy(to[groups[i]], plane + (size_t)i * size, size);
    to[groups[i]] += size;
  }
}

void swzip_fields_ungroup(const uint8_t *const *group_planes, uint32_t count, uint32_t size, const uint8_t *groups,
                          uint8_t *plane) {
  const uint8_t *from[4] = {group_planes[0], group_planes[1], group_planes[2], group_planes[3]};
  for (uint32_t i = 0; i < count; i++) {
    memcpy(plane + (size_t)i * size, from[groups[i]], size);
    from[groups[i]] += size;
  }
}

void swzip_bytes_add(const uint8_t *a, const uint8_t *b, uint32_t count, uint8_t *out) {
  for (uint32_t i = 0; i < count; i++) out[i] = (uint8_t)(a[i] + b[i]);
}

void swzip_bytes_subtract(const uint8_t *a, const uint8_t *b, uint32_t count, uint8_t *out) {
  for (uint32_t i = 0; i < count; i++) out[i] = (uint8_t)(a[i] - b[i]);
}
