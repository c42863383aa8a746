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
