// Records of several fields to one plane for each field, and back.
#include "kernels.h"

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

// Keys of some values, to memory of the caller's own: loops over vectors.
static void scale_keys(const uint8_t *const scale[4], uint32_t start, uint32_t count, uint16_t *key) {
  for (uint32_t i = 0; i < count; i++) key[i] = (uint16_t)(scale[0][start + i] | scale[1][start + i] << 8);
  if (!scale[2]) return;
  for (uint32_t i = 0; i < count; i++)
    key[i] = (uint16_t)((scale[2][start + i] | scale[3][start + i] << 8) - key[i]);
}

void swzip_scale_bounds(const uint8_t *const scale[4], uint32_t count, uint16_t bounds[3]) {
  enum { step = 256, shift = 4, bins = 1 << (16 - shift) };
  uint32_t counts[bins] = {0}, seen = 0;
  for (uint32_t start = 0; start < count; start += step) {
    const uint32_t mine = count - start < step ? count - start : step;
    uint16_t key[step];
    scale_keys(scale, start, mine, key);
    for (uint32_t i = 0; i < mine; i++) counts[key[i] >> shift]++;
  }
  unsigned next = 0;
  for (unsigned bin = 0; bin < bins && next < 3; bin++) {
    while (next < 3 && seen >= (uint64_t)count * (next + 1) / 4) bounds[next++] = (uint16_t)(bin << shift);
    seen += counts[bin];
  }
  while (next < 3) bounds[next++] = UINT16_MAX;
}

void swzip_scale_groups(const uint8_t *const scale[4], uint32_t count, const uint16_t bounds[3], uint8_t *groups,
                        uint32_t sizes[4]) {
  enum { step = 256 };
  uint32_t above[5] = {count, 0, 0, 0, 0};  // keys from the lower bound of a group on
  const uint16_t bound[3] = {bounds[0], bounds[1], bounds[2]};
  for (uint32_t start = 0; start < count; start += step) {
    const uint32_t mine = count - start < step ? count - start : step;
    uint16_t key[step], first = 0, second = 0, third = 0;
    uint8_t group[step];
    scale_keys(scale, start, mine, key);
    for (uint32_t i = 0; i < mine; i++) {
      const uint16_t a = key[i] >= bound[0], b = key[i] >= bound[1], c = key[i] >= bound[2];
      group[i] = (uint8_t)(a + b + c);
      first = (uint16_t)(first + a);
      second = (uint16_t)(second + b);
      third = (uint16_t)(third + c);
    }
    memcpy(groups + start, group, mine);
    above[1] += first;
    above[2] += second;
    above[3] += third;
  }
  for (unsigned group = 0; group < 4; group++) sizes[group] = above[group] - above[group + 1];
}

INLINE void group_fields(const uint8_t *plane, uint32_t count, size_t size, const uint8_t *groups, uint8_t *to[4]) {
  for (uint32_t i = 0; i < count; i++) {
    memcpy(to[groups[i]], plane + i * size, size);
    to[groups[i]] += size;
  }
}

INLINE void ungroup_fields(const uint8_t *from[4], uint32_t count, size_t size, const uint8_t *groups, uint8_t *plane) {
  for (uint32_t i = 0; i < count; i++) {
    memcpy(plane + i * size, from[groups[i]], size);
    from[groups[i]] += size;
  }
}

void swzip_fields_group(const uint8_t *plane, uint32_t count, uint32_t size, const uint8_t *groups,
                        uint8_t *const *group_planes) {
  uint8_t *to[4] = {group_planes[0], group_planes[1], group_planes[2], group_planes[3]};
  switch (size) {
    case 16: return group_fields(plane, count, 16, groups, to);
    case 32: return group_fields(plane, count, 32, groups, to);
    default: return group_fields(plane, count, size, groups, to);
  }
}

void swzip_fields_ungroup(const uint8_t *const *group_planes, uint32_t count, uint32_t size, const uint8_t *groups,
                          uint8_t *plane) {
  const uint8_t *from[4] = {group_planes[0], group_planes[1], group_planes[2], group_planes[3]};
  switch (size) {
    case 16: return ungroup_fields(from, count, 16, groups, plane);
    case 32: return ungroup_fields(from, count, 32, groups, plane);
    default: return ungroup_fields(from, count, size, groups, plane);
  }
}

void swzip_bytes_add(const uint8_t *a, const uint8_t *b, uint32_t count, uint8_t *out) {
  for (uint32_t i = 0; i < count; i++) out[i] = (uint8_t)(a[i] + b[i]);
}

void swzip_bytes_subtract(const uint8_t *a, const uint8_t *b, uint32_t count, uint8_t *out) {
  for (uint32_t i = 0; i < count; i++) out[i] = (uint8_t)(a[i] - b[i]);
}
