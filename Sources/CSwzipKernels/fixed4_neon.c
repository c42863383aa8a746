// NEON: mode fixed4, 64 values at a time, hashed as they are merged.
#if defined(__aarch64__)
#include "float_neon.h"
#include "xxh3_neon.h"

// The codes of 64 values: 32 lower nibbles, then the upper ones.
typedef struct { vec quarter[4]; } unit_codes;
INLINE unit_codes load_codes(const uint8_t *codes) {
  const vec a = LOAD(codes), b = LOAD(codes + 16);
  return (unit_codes){{a & 15, b & 15, a >> 4, b >> 4}};
}

// Which of 64 codes are escapes; no bit where none is.
INLINE uint64_t escapes_of(unit_codes codes) {
  vec is[4];
  for (int q = 0; q < 4; q++) is[q] = vceqq_u8(codes.quarter[q], vdupq_n_u8(15));
  const vec any = vorrq_u8(vorrq_u8(is[0], is[1]), vorrq_u8(is[2], is[3]));
  return __builtin_expect(vmaxvq_u8(any) != 0, 0) ? mask_of(is[0], is[1], is[2], is[3]) : 0;
}

uint32_t swzip_fixed4_escapes_neon(const uint8_t *codes, uint32_t count) {
  const size_t units = ((size_t)count + 63) / 64;
  uint32_t sum = 0;
  for (size_t unit = 0; unit < units;) {
    vec lanes = vdupq_n_u8(0);  // a byte counts four codes a unit: 63 units at most
    for (const size_t end = unit + 63 < units ? unit + 63 : units; unit < end; unit++) {
      const unit_codes here = load_codes(codes + 32 * unit);
      for (int q = 0; q < 4; q++) lanes = vsubq_u8(lanes, vceqq_u8(here.quarter[q], vdupq_n_u8(15)));
    }
    sum += vaddlvq_u8(lanes);
  }
  return sum;
}

// 64 values of unit `unit`, to `out` and into the hash; returns the escapes that are left.
INLINE const uint8_t *fixed4_unit(const uint8_t *codes, vec book, const uint8_t *raw_plane, const uint8_t *escapes,
                                  size_t unit, uint8_t *out, hash_vectors *hash) {
  const unit_codes here = load_codes(codes + 32 * unit);
  const uint8_t *const secret = XXH3_kSecret + (unit * 2 & 15) * 8;
  vec symbols[4];
  for (int q = 0; q < 4; q++) symbols[q] = vqtbl1q_u8(book, here.quarter[q]);
  uint64_t escaped = escapes_of(here);
  if (__builtin_expect(escaped != 0, 0)) {
    uint8_t mended[64];
    for (int q = 0; q < 4; q++) STORE(mended + 16 * q, symbols[q]);
    for (; escaped; escaped &= escaped - 1) mended[__builtin_ctzll(escaped)] = *escapes++;
    for (int q = 0; q < 4; q++) symbols[q] = LOAD(mended + 16 * q);
  }
  UNROLL for (unsigned q = 0; q < 4; q++) {
    const vec raw = LOAD(raw_plane + 64 * unit + 16 * q);
    const uint16x8_t x = join16(SWZIP_BF16_J0, (uint16x8_t)vzip1q_u8(raw, symbols[q]), vdupq_n_u16(0));
    const uint16x8_t y = join16(SWZIP_BF16_J0, (uint16x8_t)vzip2q_u8(raw, symbols[q]), vdupq_n_u16(0));
    put(out, (vec)x, 32 * q, (vec)y, 32 * q + 16, hash, secret);
  }
  return escapes;
}

void swzip_fixed4_decode_neon(const uint8_t *codes, const uint8_t *codebook, const uint8_t *raw_plane,
                              const uint8_t *escapes, uint32_t count, void *out, bool streaming, uint64_t *hash) {
  (void)streaming;
  const vec book = LOAD(codebook);
  const size_t byte_count = 2 * (size_t)count, whole = (count - 1) / 64, left = byte_count - 128 * whole;
  uint8_t *const bytes = out, *const end = bytes + 128 * whole;
  swzip_hash_lanes lanes = hash_begin();
  hash_vectors vectors = hash_load(&lanes);
  for (size_t unit = 0; unit < whole; unit++) {
    escapes = fixed4_unit(codes, book, raw_plane, escapes, unit, bytes + 128 * unit, &vectors);
    if (((unit + 1) * 2 & 15) == 0) hash_scramble(&vectors);
  }
  hash_store(&lanes, vectors);
  uint8_t buffer[64 + 128];
  fixed4_unit(codes, book, raw_plane, escapes, whole, buffer + 64, &vectors);  // its hash is not used
  if (byte_count > 240) {
    if (left < 64) memcpy(buffer, end - 64, 64);
    hash_buffered(&lanes, buffer + 64, left, 2, (uint32_t)whole, true);
  }
  memcpy(end, buffer + 64, left);
  *hash = byte_count > 240 ? hash_end(&lanes, byte_count) : xxh3_64(out, byte_count, 0);
}

uint32_t swzip_fixed4_encode_neon(const void *values, uint32_t count, uint8_t window_first, uint8_t *codes,
                                  uint8_t *raw_plane, uint8_t *escapes) {
  const vec before = vdupq_n_u8((uint8_t)(window_first - 1));
  const size_t units = ((size_t)count + 63) / 64;
  const uint8_t *bytes = values;
  uint32_t escaped = 0;
  memset(raw_plane + 64 * units, 0, swzip_raw_plane_bytes(SWZIP_BF16_J0, count) - 64 * units);
  for (size_t unit = 0; unit < units; unit++, bytes += 128) {
    uint8_t last[128];
    const uint8_t *from = bytes;
    if (unit == units - 1 && count % 64) {
      memset(last, 0, sizeof last);
      memcpy(last, bytes, 2 * (count % 64));
      from = last;
    }
    vec symbols[4];
    unit_codes here;
    UNROLL for (unsigned q = 0; q < 4; q++) {
      const uint16x8_t x = LOAD_16(from + 32 * q), y = LOAD_16(from + 32 * q + 16);
      vec raw, unused;
      uint16x8_t never;
      split16(SWZIP_BF16_J0, x, y, vdupq_n_u16(0), symbols + q, &raw, &unused, &never);
      STORE(raw_plane + 64 * unit + 16 * q, raw);
      // 1 to 14 inside the window, 0 for zero, 15 for the rest
      const vec step = vsubq_u8(symbols[q], before), inside = vcltq_u8(vsubq_u8(step, vdupq_n_u8(1)), vdupq_n_u8(14));
      here.quarter[q] = vbicq_u8(vbslq_u8(inside, step, vdupq_n_u8(15)), vceqzq_u8(symbols[q]));
    }
    uint64_t outside = escapes_of(here);
    if (__builtin_expect(outside != 0, 0)) {
      uint8_t all[64];
      for (int q = 0; q < 4; q++) STORE(all + 16 * q, symbols[q]);
      for (; outside; outside &= outside - 1) escapes[escaped++] = all[__builtin_ctzll(outside)];
    }
    STORE(codes + 32 * unit, vsliq_n_u8(here.quarter[0], here.quarter[2], 4));
    STORE(codes + 32 * unit + 16, vsliq_n_u8(here.quarter[1], here.quarter[3], 4));
  }
  return escaped;
}
#endif
