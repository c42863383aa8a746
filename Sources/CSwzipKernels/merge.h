// What the vector merges share: each merges and hashes whole units of a block.
#ifndef SWZIP_MERGE_H
#define SWZIP_MERGE_H
#include "xxh3.h"

typedef struct {
  uint8_t *out;                    // of unit 0
  const uint8_t *raw_plane, *low0, *low1;
  const uint8_t *symbols;          // unsorted: of the first unit; sorted: the tile
  const uint32_t *index;           // sorted: of unit 0
  uint16_t window_base;
  uintptr_t ahead;                 // of unit 0: what the next block begins with, `ahead_bytes` a unit
  uint32_t ahead_bytes;
} swzip_merge_input;

// Asks for what the next block is made of while this one is stored: it would wait for memory a few kilobytes at a time.
INLINE void prefetch_ahead(const swzip_merge_input *in, uint32_t unit) {
  const uintptr_t from = in->ahead + (size_t)unit * in->ahead_bytes;
  for (uint32_t at = 0; at < in->ahead_bytes; at += 64) __builtin_prefetch((const void *)(from + at), 0, 2);
}

// Units first to end. [kind][streaming][sorted]
typedef void swzip_merge_function(const swzip_merge_input *in, uint32_t first, uint32_t end, swzip_hash_lanes *hash);
typedef swzip_merge_function *swzip_merge_functions[SWZIP_FLOAT_KINDS][2][2];

#define MERGE_AS(kind, name, streaming, sorted)                                                                      \
  static NOINLINE void merge_##name(const swzip_merge_input *in, uint32_t first, uint32_t end, swzip_hash_lanes *h) { \
    merge_units(SWZIP_##kind, streaming, sorted, in, first, end, h);                                                 \
  }
#define MERGE_CACHED(kind) MERGE_AS(kind, kind##_cached, false, false) MERGE_AS(kind, kind##_cached_sorted, false, true)
#define MERGE(kind) \
  MERGE_CACHED(kind) MERGE_AS(kind, kind##_streaming, true, false) MERGE_AS(kind, kind##_streaming_sorted, true, true)
#define MERGES_CACHED(kind) [SWZIP_##kind] = {{merge_##kind##_cached, merge_##kind##_cached_sorted}}
#define MERGES(kind)                                                       \
  [SWZIP_##kind] = {{merge_##kind##_cached, merge_##kind##_cached_sorted}, \
                    {merge_##kind##_streaming, merge_##kind##_streaming_sorted}}

#pragma GCC visibility push(hidden)
extern const swzip_merge_functions swzip_merges_avx2;

// Decodes a block by functions whose streaming stores need `alignment`.
bool swzip_float_decode_by(swzip_merge_function *const merges[2][2], size_t alignment, const swzip_float_block *block,
                           void *out, uint8_t *scratch, bool streaming, uint64_t *hash);
#pragma GCC visibility pop
#endif
