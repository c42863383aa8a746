// AVX2: replayed quants (replay_formula.h), eight values a vector.
#if defined(__x86_64__)
#include "vector_avx2.h"
#include "replay_formula.h"

void swzip_replay_decode_avx2(const swzip_replay *replay, const swzip_replay_block *block, const void *x, void *out) {
  replay_decode_by(replay, block, x, out);
}
size_t swzip_replay_encode_avx2(const swzip_replay *replay, const swzip_replay_block *block, const void *x, const void *in,
                                size_t most) {
  return replay_encode_by(replay, block, x, in, most);
}
#pragma clang attribute pop
#endif
