// Decodes the symbols of one group of eight sub-streams, for each level.
//
// Why it is fast: symbols are coded last to first, so a table entry holds up to six of them in its top bytes and is
// stored whole at `end - 8`; the next, lower store overwrites its low part. One look-up is and, load, store, shift,
// subtract. Eight streams hide each other's latency. The stream's whole state is (bit position, end pointer): a
// refill loads 8 bytes at position / 8 and sets bit 63, so that the bits used are one count of leading zeros.
//
// Bounds: a look-up uses at most 11 bits, five at most 55, the refill has 57 at least. While every stream has 55 * i
// bits left and room for 5 * i * max_count symbols (SWZIP_STREAM_GAP below each stream is slack), i rounds run
// without a check. Then rounds with clamped pointers finish all streams together. Hostile input reads at most 8
// bytes past the group's last sub-stream and writes into the tile only.
//
// `position`: byte offsets of the eight sub-streams and the end. Sub-stream k holds min(length, values - k * length)
// symbols, which end up at low + k * stride.
#ifndef SWZIP_HUFFMAN_H
#define SWZIP_HUFFMAN_H
#include "kernels.h"

#define DO8(M) M(0) M(1) M(2) M(3) M(4) M(5) M(6) M(7)
#define DECLARE(k)                                                                                            \
  uint64_t at##k = 8 * (uint64_t)position[k], bits##k;                                                        \
  const uint64_t stop##k = 8 * (uint64_t)position[k + 1];                                                     \
  uint8_t *const low##k = low + (size_t)k * stride;                                                           \
  uint8_t *end##k = low##k + ((k + 1) * length <= values ? length : k * length < values ? values - k * length : 0);
#define REFILL(k) bits##k = (load64(streams + (at##k >> 3)) >> (at##k & 7)) | 1ull << 63;
#define LOOK_UP(k)                                                   \
  {                                                                  \
    const uint64_t entry = entries[bits##k & ((1 << SWZIP_CODE_BITS) - 1)]; \
    store64(end##k - 8, entry);                                      \
    bits##k >>= entry & 63;                                          \
    end##k -= (uint8_t)(entry >> 8);                                 \
  }
#define ADVANCE(k) at##k += (uint64_t)__builtin_clzll(bits##k);
#define ROOM(k)                                                      \
  {                                                                  \
    const int64_t bits_left = (int64_t)(stop##k - at##k), symbols_left = end##k - low##k; \
    least_bits = bits_left < least_bits ? bits_left : least_bits;    \
    least_symbols = symbols_left < least_symbols ? symbols_left : least_symbols; \
  }
#define CLAMP(k)                                                     \
  end##k = end##k < low##k ? low##k : end##k;                        \
  at##k = at##k > last ? last : at##k;
#define UNFINISHED(k) | (end##k != low##k)

INLINE void huffman_decode(const uint8_t *streams, const uint32_t position[9], int64_t length, int64_t values, uint8_t *low,
                           size_t stride, const swzip_decode_table *table, swzip_prefetch ahead, swzip_prefetch plane) {
  const uint64_t last = 8 * (uint64_t)position[8];
  const uint64_t *const entries = table->entry;
  DO8(DECLARE)
  for (;;) {
    int64_t least_bits = INT64_MAX, least_symbols = INT64_MAX;
    DO8(ROOM)
    int64_t rounds = least_bits / 55;
    const int64_t fit = (least_symbols + SWZIP_STREAM_GAP - 56) / (table->max_count * 5);
    rounds = fit < rounds ? fit : rounds;
    if (rounds <= 0 || least_symbols <= 0) break;
    do {
      // The next group's input and this group's raw plane come into the cache while the look-ups wait for nothing else.
      if (plane.from < plane.to) {
        __builtin_prefetch(plane.from, 0, 2);
        __builtin_prefetch(plane.from + 64, 0, 2);
        __builtin_prefetch(plane.from + 128, 0, 2);
        plane.from += 192;
      }
      if (ahead.from < ahead.to) {
        __builtin_prefetch(ahead.from, 0, 3);
        __builtin_prefetch(ahead.from + 64, 0, 3);
        ahead.from += 128;
      }
      DO8(REFILL)
      _Pragma("clang loop unroll(full)") for (int j = 0; j < 5; j++) { DO8(LOOK_UP) }
      DO8(ADVANCE)
    } while (--rounds);
  }
  while (0 DO8(UNFINISHED)) {
    DO8(REFILL)
    _Pragma("clang loop unroll(full)") for (int j = 0; j < 5; j++) { DO8(LOOK_UP) }
    DO8(ADVANCE)
    DO8(CLAMP)
  }
}
#endif
