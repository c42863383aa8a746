// What every level shares about float blocks: sizes, coded parts, values without a symbol.
#include "float.h"

#include "kernels.h"

unsigned swzip_float_width(swzip_float_kind kind) { return float_traits[kind].width; }
unsigned swzip_float_raw_bits(swzip_float_kind kind) { return float_traits[kind].raw_bits; }
unsigned swzip_float_shift(swzip_float_kind kind) { return float_traits[kind].shift; }

size_t swzip_raw_plane_bytes(swzip_float_kind kind, uint32_t count) {
  return (size_t)((count + SWZIP_UNIT - 1) / SWZIP_UNIT) * float_traits[kind].raw_bits * (SWZIP_UNIT / 8);
}

// Sorted groups have up to three rows more than a quarter of the block holds; each sub-stream has a gap and rounding.
size_t swzip_tile_bytes(uint32_t count) {
  return (size_t)count + 33 * (SWZIP_STREAM_GAP + 256) + 64;
}

size_t swzip_float_scratch_bytes(uint32_t count) {
  return ((swzip_tile_bytes(count) + 63) & ~(size_t)63) + 4 * ((size_t)count / 32 + 16);
}

uint16_t swzip_float_coded_part(swzip_float_kind kind, const void *values, uint32_t index) {
  const uint8_t *const bytes = values;
  switch (float_traits[kind].width) {
    case 1: return bytes[index];
    case 2: return load16(bytes + 2 * (size_t)index);
    default: return load16(bytes + 4 * (size_t)index + 2);
  }
}

uint32_t swzip_float_outside(swzip_float_kind kind, const void *values, uint32_t count, uint16_t window_base,
                             uint32_t *positions, uint32_t capacity) {
  uint32_t found = 0;
  for (uint32_t i = 0; i < count; i++) {
    const unsigned field = float_rotate(kind, swzip_float_coded_part(kind, values, i)) >> float_traits[kind].raw_bits;
    if (field == 0 || (field > window_base && field - window_base < 256)) continue;
    if (found < capacity) positions[found] = i;
    found++;
  }
  return found;
}

void swzip_histogram_add_plain(const uint8_t *bytes, size_t count, size_t step, uint32_t *counts) {
  // Four tables: neighbouring equal symbols would wait for each other's store.
  uint32_t lanes[4][256] = {{0}};
  for (size_t run = 0; run < count; run += 32 * step) {
    const size_t end = run + 32 < count ? run + 32 : count;
    size_t i = run;
    for (; i + 8 <= end; i += 8) {
      const uint64_t eight = load64(bytes + i);
      lanes[0][eight & 255]++;
      lanes[1][eight >> 8 & 255]++;
      lanes[2][eight >> 16 & 255]++;
      lanes[3][eight >> 24 & 255]++;
      lanes[0][eight >> 32 & 255]++;
      lanes[1][eight >> 40 & 255]++;
      lanes[2][eight >> 48 & 255]++;
      lanes[3][eight >> 56]++;
    }
    for (; i < end; i++) lanes[0][bytes[i]]++;
  }
  for (int s = 0; s < 256; s++) counts[s] += lanes[0][s] + lanes[1][s] + lanes[2][s] + lanes[3][s];
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

void swzip_palette_entries(const uint8_t *values, size_t count, size_t width, size_t per_symbol,
                           uint8_t entries[256 * 64]) {
  size_t symbols = 1;
  memset(entries, 0, 64);
  for (size_t place = 0; place < per_symbol; place++) {
    // Symbols with one digit more: those there are, before each value. The first value's are in their place.
    for (size_t value = count; value-- > 0;)
      for (size_t s = 0; s < symbols; s++) {
        uint8_t *const entry = entries + 64 * (value * symbols + s);
        if (value > 0) memcpy(entry, entries + 64 * s, 64);
        memcpy(entry + place * width, values + value * width, width);
      }
    symbols *= count;
  }
  memset(entries + 64 * symbols, 0, 64 * (256 - symbols));
}

void swzip_palette_expand(const uint8_t *symbols, const uint8_t *palette, size_t entry_bytes, uint8_t *out,
                          size_t byte_count) {
  // A copy of a fixed size is one load and one store; what it writes too much the next one covers, but for the last.
#define EXPAND(size)                                                                                          \
  for (; done + size <= byte_count; done += entry_bytes) memcpy(out + done, palette + 64 * (size_t)*symbols++, size);
  size_t done = 0;
  if (entry_bytes == 2) { EXPAND(2) }
  else if (entry_bytes <= 4) { EXPAND(4) }
  else if (entry_bytes <= 8) { EXPAND(8) }
  else if (entry_bytes <= 16) { EXPAND(16) }
  else { EXPAND(64) }
#undef EXPAND
  for (; done < byte_count; done += entry_bytes) {
    const size_t left = byte_count - done;
    memcpy(out + done, palette + 64 * (size_t)*symbols++, left < entry_bytes ? left : entry_bytes);
  }
}
