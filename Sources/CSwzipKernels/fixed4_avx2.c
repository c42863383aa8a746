// AVX2: mode fixed4, 64 values at a time, hashed as they are merged.
#if defined(__x86_64__)
#include "float_avx2.h"
#include "xxh3_avx2.h"

uint32_t swzip_fixed4_escapes_avx2(const uint8_t *codes, uint32_t count) {
  const vec nibble = _mm256_set1_epi8(15), zero = _mm256_setzero_si256();
  const size_t units = ((size_t)count + 63) / 64;
  vec sum = zero;
  for (size_t unit = 0; unit < units;) {
    vec lanes = zero;  // a byte counts two codes a unit: 127 units at most
    for (const size_t end = unit + 127 < units ? unit + 127 : units; unit < end; unit++) {
      const vec packed = LOAD(codes + 32 * unit);
      lanes = _mm256_sub_epi8(lanes, _mm256_cmpeq_epi8(_mm256_and_si256(packed, nibble), nibble));
      lanes = _mm256_sub_epi8(lanes, _mm256_cmpeq_epi8(_mm256_and_si256(_mm256_srli_epi16(packed, 4), nibble), nibble));
    }
    sum = _mm256_add_epi64(sum, _mm256_sad_epu8(lanes, zero));
  }
  return (uint32_t)(_mm256_extract_epi64(sum, 0) + _mm256_extract_epi64(sum, 1) + _mm256_extract_epi64(sum, 2) +
                    _mm256_extract_epi64(sum, 3));
}

// 64 values of unit `unit` in four vectors; returns the escapes that are left.
INLINE const uint8_t *fixed4_unit(const uint8_t *codes, vec book, const uint8_t *raw_plane, const uint8_t *escapes,
                                  size_t unit, vec four[4]) {
  const vec nibble = _mm256_set1_epi8(15), packed = LOAD(codes + 32 * unit);
  _Pragma("clang loop unroll(full)") for (int half = 0; half < 2; half++) {
    const vec code = _mm256_and_si256(half ? _mm256_srli_epi16(packed, 4) : packed, nibble);
    vec symbols = _mm256_shuffle_epi8(book, code);
    uint32_t escaped = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(code, nibble));
    if (__builtin_expect(escaped != 0, 0)) {
      _Alignas(32) uint8_t mended[32];
      STORE(mended, symbols);
      for (; escaped; escaped &= escaped - 1) mended[__builtin_ctz(escaped)] = *escapes++;
      symbols = LOAD(mended);
    }
    weave16(SWZIP_BF16_J0, symbols, LOAD(raw_plane + 64 * unit + 32 * half), nibble, four + 2 * half, four + 2 * half + 1);
  }
  return escapes;
}

INLINE void fixed4_run(const uint8_t *codes, vec book, const uint8_t *raw_plane, const uint8_t **escapes, size_t units,
                       uint8_t *out, const bool streaming, swzip_hash_lanes *hash) {
  vec a = LOAD(hash->lane), b = LOAD(hash->lane + 4);
  const uint8_t *next = *escapes;
  for (size_t unit = 0; unit < units; unit++, out += 128) {
    const uint8_t *const secret = XXH3_kSecret + (unit * 2 & 15) * 8;
    __builtin_prefetch(codes + 32 * unit + 1024);
    __builtin_prefetch(raw_plane + 64 * unit + 2048);
    vec four[4];
    next = fixed4_unit(codes, book, raw_plane, next, unit, four);
    PUT(0, four[0]) PUT(1, four[1]) PUT(2, four[2]) PUT(3, four[3])
    if (((unit + 1) * 2 & 15) == 0) {
      a = hash_scramble(a, XXH3_kSecret + 128);
      b = hash_scramble(b, XXH3_kSecret + 160);
    }
  }
  *escapes = next;
  STORE(hash->lane, a);
  STORE(hash->lane + 4, b);
}

void swzip_fixed4_decode_avx2(const uint8_t *codes, const uint8_t *codebook, const uint8_t *raw_plane,
                              const uint8_t *escapes, uint32_t count, void *out, bool streaming, uint64_t *hash) {
  const vec book = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)codebook));
  const size_t byte_count = 2 * (size_t)count, whole = (count - 1) / 64, left = byte_count - 128 * whole;
  uint8_t *const bytes = out, *const end = bytes + 128 * whole;
  swzip_hash_lanes lanes = hash_begin();
  if (streaming && !((uintptr_t)out & 31)) {
    fixed4_run(codes, book, raw_plane, &escapes, whole, bytes, true, &lanes);
    _mm_sfence();
  } else {
    fixed4_run(codes, book, raw_plane, &escapes, whole, bytes, false, &lanes);
  }
  _Alignas(32) uint8_t buffer[64 + 128];
  vec four[4];
  fixed4_unit(codes, book, raw_plane, escapes, whole, four);
  for (int i = 0; i < 4; i++) STORE(buffer + 64 + 32 * i, four[i]);
  if (byte_count > 240) {
    if (left < 64) memcpy(buffer, end - 64, 64);
    hash_buffered(&lanes, buffer + 64, left, 2, (uint32_t)whole, true);
  }
  memcpy(end, buffer + 64, left);
  *hash = byte_count > 240 ? hash_end(&lanes, byte_count) : xxh3_64(out, byte_count, 0);
}

uint32_t swzip_fixed4_encode_avx2(const void *values, uint32_t count, uint8_t window_first, uint8_t *codes,
                                  uint8_t *raw_plane, uint8_t *escapes) {
  const vec zero = _mm256_setzero_si256(), before = _mm256_set1_epi8((char)(window_first - 1));
  const vec fourteen = _mm256_set1_epi8(14), fifteen = _mm256_set1_epi8(15), one = _mm256_set1_epi8(1);
  const size_t units = ((size_t)count + 63) / 64;
  const uint8_t *bytes = values;
  uint32_t escaped = 0;
  memset(raw_plane + 64 * units, 0, swzip_raw_plane_bytes(SWZIP_BF16_J0, count) - 64 * units);
  for (size_t unit = 0; unit < units; unit++, bytes += 128) {
    _Alignas(32) uint8_t last[128];
    const uint8_t *from = bytes;
    if (unit == units - 1 && count % 64) {
      memset(last, 0, sizeof last);
      memcpy(last, bytes, 2 * (count % 64));
      from = last;
    }
    vec code[2];
    _Pragma("clang loop unroll(full)") for (int half = 0; half < 2; half++) {
      vec symbols, raw, unused;
      split16(8, true, LOAD(from + 64 * half), LOAD(from + 64 * half + 32), zero, &symbols, &raw, &unused);
      STORE(raw_plane + 64 * unit + 32 * half, raw);
      // 1 to 14 inside the window, 0 for zero, 15 for the rest
      const vec step = _mm256_sub_epi8(symbols, before);
      const vec inside = _mm256_cmpeq_epi8(_mm256_min_epu8(_mm256_sub_epi8(step, one), _mm256_set1_epi8(13)), _mm256_sub_epi8(step, one));
      const vec is_zero = _mm256_cmpeq_epi8(symbols, zero);
      vec c = _mm256_blendv_epi8(fifteen, _mm256_min_epu8(step, fourteen), inside);
      c = _mm256_andnot_si256(is_zero, c);
      code[half] = c;
      uint32_t out_of_window = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(c, fifteen));
      if (__builtin_expect(out_of_window != 0, 0)) {
        _Alignas(32) uint8_t all[32];
        STORE(all, symbols);
        for (; out_of_window; out_of_window &= out_of_window - 1) escapes[escaped++] = all[__builtin_ctz(out_of_window)];
      }
    }
    STORE(codes + 32 * unit, _mm256_or_si256(code[0], _mm256_slli_epi16(code[1], 4)));
  }
  return escaped;
}
#pragma clang attribute pop
#endif
