// XXH3 for the baseline of the processor family (SSE2, NEON or plain C).
#if defined(__AVX__)
#error "this file must be built for the baseline: dispatch would lie otherwise"
#endif
#include "xxh3.h"

_Static_assert(sizeof(XXH3_state_t) <= SWZIP_XXH3_STATE_BYTES, "state of XXH3");

uint64_t swzip_xxh3_64_portable(const void *bytes, size_t byte_count, uint64_t seed) {
  return xxh3_64(bytes, byte_count, seed);
}

void swzip_xxh3_128_begin(void *state) {
  memset(state, 0, SWZIP_XXH3_STATE_BYTES);
  XXH3_128bits_reset(state);
}

void swzip_xxh3_128_add_portable(void *state, const void *bytes, size_t byte_count) {
  XXH3_128bits_update(state, bytes, byte_count);
}

void swzip_xxh3_128_end(const void *state, uint64_t *low, uint64_t *high) {
  const XXH128_hash_t hash = XXH3_128bits_digest(state);
  *low = hash.low64;
  *high = hash.high64;
}
