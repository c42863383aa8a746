// AVX2: expansion of sparse blocks, eight values at a time. Gives the bytes of sparse.c. The table serves rANS too.
#if defined(__x86_64__)
#include "vector_avx2.h"

#define LANE(set, k) (((set) >> (k) & 1 ? (uint64_t)__builtin_popcount((set) & ((1u << (k)) - 1)) : 0) << 8 * (k))
#define RANKS(set) \
  LANE(set, 0) | LANE(set, 1) | LANE(set, 2) | LANE(set, 3) | LANE(set, 4) | LANE(set, 5) | LANE(set, 6) | LANE(set, 7)
#define FOUR(set) RANKS(set), RANKS((set) + 1), RANKS((set) + 2), RANKS((set) + 3)
#define SIXTEEN(set) FOUR(set), FOUR((set) + 4), FOUR((set) + 8), FOUR((set) + 12)
#define SIXTY_FOUR(set) SIXTEEN(set), SIXTEEN((set) + 16), SIXTEEN((set) + 32), SIXTEEN((set) + 48)
const uint64_t swzip_lane_ranks[256] = {SIXTY_FOUR(0u), SIXTY_FOUR(64u), SIXTY_FOUR(128u), SIXTY_FOUR(192u)};

// Ranks choose the values; lanes without a bit are cleared.
void swzip_sparse_expand_avx2(const uint8_t *mask, uint32_t count, unsigned width, const void *values, void *out) {
  const uint8_t *in = values;
  uint8_t *const bytes = out;
  const vec lane = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
  uint32_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const unsigned bits = mask[i / 8];
    const __m128i rank = _mm_cvtsi64_si128((long long)swzip_lane_ranks[bits]);
    const vec chosen = _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32((int)bits), lane), lane);
    if (width == 4) {
      const vec moved = _mm256_permutevar8x32_epi32(LOAD(in), _mm256_cvtepu8_epi32(rank));
      STORE(bytes + 4 * (size_t)i, _mm256_and_si256(moved, chosen));
    } else {
      const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(chosen), _mm256_extracti128_si256(chosen, 1));
      if (width == 2) {
        const __m128i twice = _mm_slli_epi16(_mm_cvtepu8_epi16(rank), 1);  // byte 2 rank and the one above it
        const __m128i control = _mm_or_si128(twice, _mm_slli_epi16(_mm_add_epi16(twice, _mm_set1_epi16(1)), 8));
        const __m128i moved = _mm_shuffle_epi8(_mm_loadu_si128((const void *)in), control);
        _mm_storeu_si128((void *)(bytes + 2 * (size_t)i), _mm_and_si128(moved, words));
      } else {
        const __m128i moved = _mm_shuffle_epi8(_mm_loadl_epi64((const void *)in), rank);
        _mm_storel_epi64((void *)(bytes + i), _mm_and_si128(moved, _mm_packs_epi16(words, words)));
      }
    }
    in += width * (unsigned)__builtin_popcount(bits);
  }
  swzip_sparse_expand_portable(mask + i / 8, count - i, width, in, bytes + (size_t)i * width);
}
#pragma clang attribute pop
#endif
