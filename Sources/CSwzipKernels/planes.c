// Values to planes of their bytes and back, and the order of their bytes.
#include "kernels.h"

void swzip_planes_split(const void *values, uint32_t count, unsigned width, uint8_t *const *planes) {
  const uint8_t *const bytes = values;
  if (width == 1) {
    memcpy(planes[0], bytes, count);
    return;
  }
  for (unsigned k = 0; k < width; k++) {
    uint8_t *const plane = planes[k];
    switch (width) {
      case 2: for (size_t i = 0; i < count; i++) plane[i] = bytes[2 * i + k]; break;
      case 4: for (size_t i = 0; i < count; i++) plane[i] = bytes[4 * i + k]; break;
      default: for (size_t i = 0; i < count; i++) plane[i] = bytes[8 * i + k]; break;
    }
  }
}

void swzip_planes_merge(const uint8_t *const *planes, uint32_t count, unsigned width, void *out) {
  uint8_t *const bytes = out;
  switch (width) {
    case 1: memcpy(bytes, planes[0], count); break;
    case 2: {
      const uint8_t *p0 = planes[0], *p1 = planes[1];
      for (size_t i = 0; i < count; i++) store16(bytes + 2 * i, (uint16_t)(p0[i] | p1[i] << 8));
      break;
    }
    case 4: {
      const uint8_t *p0 = planes[0], *p1 = planes[1], *p2 = planes[2], *p3 = planes[3];
      for (size_t i = 0; i < count; i++)
        store32(bytes + 4 * i, p0[i] | (uint32_t)p1[i] << 8 | (uint32_t)p2[i] << 16 | (uint32_t)p3[i] << 24);
      break;
    }
    default:
      for (size_t i = 0; i < count; i++) {
        uint64_t v = 0;
        for (unsigned k = 0; k < 8; k++) v |= (uint64_t)planes[k][i] << 8 * k;
        store64(bytes + 8 * i, v);
      }
  }
}

void swzip_bytes_swap(const void *from, size_t byte_count, unsigned unit, void *to) {
  const uint8_t *in = from;
  uint8_t *out = to;
  // One loop each: compilers make vectors of them.
  if (unit == 2) {
    for (size_t i = 0; i < byte_count; i += 2) store16(out + i, __builtin_bswap16(load16(in + i)));
  } else if (unit == 4) {
    for (size_t i = 0; i < byte_count; i += 4) store32(out + i, __builtin_bswap32(load32(in + i)));
  } else {
    for (size_t i = 0; i < byte_count; i += 8) store64(out + i, __builtin_bswap64(load64(in + i)));
  }
}
