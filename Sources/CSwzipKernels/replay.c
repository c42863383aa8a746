// Replayed quants (replay_formula.h) by what every processor has.
#include "float_environment.h"
#include "replay_formula.h"

void swzip_replay_decode_portable(const swzip_replay *replay, const swzip_replay_block *block, const void *x, void *out) {
  replay_decode_by(replay, block, x, out);
}
size_t swzip_replay_encode_portable(const swzip_replay *replay, const swzip_replay_block *block, const void *x, const void *in,
                                    size_t most) {
  return replay_encode_by(replay, block, x, in, most);
}

void swzip_replay_decode(const swzip_replay *replay, const swzip_replay_block *block, const void *x, void *out) {
  const uint64_t had = default_environment();
  swzip_kernels()->replay_decode(replay, block, x, out);
  restore_environment(had);
}
size_t swzip_replay_encode(const swzip_replay *replay, const swzip_replay_block *block, const void *x, const void *in,
                           size_t most) {
  const uint64_t had = default_environment();
  const size_t changed = swzip_kernels()->replay_encode(replay, block, x, in, most);
  restore_environment(had);
  return changed;
}
