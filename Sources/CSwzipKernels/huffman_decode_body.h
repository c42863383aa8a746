// Decodes the symbols of one group of eight sub-streams; included once for each level.
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

static NOINLINE void decode_group(const uint8_t *streams, const uint32_t position[9], int64_t length, int64_t values,
                                  uint8_t *low, size_t stride, const swzip_decode_table *table, const uint8_t *ahead,
                                  const uint8_t *ahead_end, const uint8_t *plane, const uint8_t *plane_end) {
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
      if (plane < plane_end) {
        __builtin_prefetch(plane, 0, 2);
        __builtin_prefetch(plane + 64, 0, 2);
        __builtin_prefetch(plane + 128, 0, 2);
        plane += 192;
      }
      if (ahead < ahead_end) {
        __builtin_prefetch(ahead, 0, 3);
        __builtin_prefetch(ahead + 64, 0, 3);
        ahead += 128;
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

static void symbols_decode(const uint8_t *streams, const uint32_t *offset, uint32_t count,
                         const swzip_decode_table *const *tables, uint8_t *tile, uint8_t *out) {
  const swzip_geometry geometry = swzip_geometry_unsorted(count);
  uint32_t done = 0;
  for (int g = 0; g < 4 && geometry.values[g]; g++) {
    const uint32_t length = geometry.stream[g], stride = length + SWZIP_STREAM_GAP;
    decode_group(streams, offset + 8 * g, length, geometry.values[g], tile + SWZIP_STREAM_GAP, stride, tables[g], NULL,
                 NULL, NULL, NULL);
    for (uint32_t k = 0; k < 8 && k * length < geometry.values[g]; k++) {
      const uint32_t left = geometry.values[g] - k * length, mine = left < length ? left : length;
      memcpy(out + done, tile + SWZIP_STREAM_GAP + (size_t)k * stride, mine);
      done += mine;
    }
  }
}
#undef DO8
#undef DECLARE
#undef REFILL
#undef LOOK_UP
#undef ADVANCE
#undef ROOM
#undef CLAMP
#undef UNFINISHED

// ---------------------------------------------------------------- sorted rows

// Where the symbols of each chunk of 32 values (natural order) lie in the tile of a sorted block. False if some group
// does not have exactly its number of rows.
static bool index_rows(uint32_t *index, const uint8_t *row_groups, uint32_t rows, uint32_t row_length,
                       const swzip_geometry *geometry) {
  uint32_t position[4], used[4] = {0}, left[4], start = SWZIP_STREAM_GAP;
  for (int g = 0; g < 4; g++) {
    position[g] = start;
    left[g] = geometry->stream[g];
    start += 8 * (geometry->stream[g] + SWZIP_STREAM_GAP);
  }
  const uint32_t chunks = row_length / 32;
  for (uint32_t row = 0; row < rows; row++) {
    const int g = row_groups[row >> 2] >> 2 * (row & 3) & 3;
    if (used[g] + row_length > geometry->values[g]) return false;
    used[g] += row_length;
    uint32_t at = position[g], room = left[g];
    if (room > row_length) {  // the whole row lies in one sub-stream
      for (uint32_t c = 0; c < chunks; c++) index[c] = at + 32 * c;
      at += row_length;
      room -= row_length;
    } else for (uint32_t c = 0; c < chunks;) {
      uint32_t run = room / 32 < chunks - c ? room / 32 : chunks - c;
      room -= 32 * run;
      for (; run; run--, at += 32) index[c++] = at;
      if (!room) {
        at += SWZIP_STREAM_GAP;
        room = geometry->stream[g];
      }
    }
    index += chunks;
    position[g] = at;
    left[g] = room;
  }
  return used[0] == geometry->values[0] && used[1] == geometry->values[1] && used[2] == geometry->values[2] &&
         used[3] == geometry->values[3];
}

// What comes into the cache while group g is decoded: the streams of the next group, or those of the next block's first,
// which lie where this block's do. Only a hint: the addresses need not exist.
typedef struct { const uint8_t *from, *to; } prefetch_range;
static prefetch_range ahead_of(const swzip_float_block *block, int g) {
  const uint32_t *const offset = block->stream_offset;
  if (g < 3) return (prefetch_range){block->streams + offset[8 * g + 8], block->streams + offset[8 * g + 16]};
  const uint8_t *const next = (const uint8_t *)((uintptr_t)block->streams + block->frame_bytes);
  return (prefetch_range){next, (const uint8_t *)((uintptr_t)next + offset[8])};
}

// Decodes the symbols of a sorted block into `tile`; the groups follow each other there.
static void decode_groups(const swzip_float_block *block, const swzip_geometry *geometry, uint8_t *tile) {
  uint8_t *low = tile + SWZIP_STREAM_GAP;
  const size_t plane_bytes = swzip_raw_plane_bytes(block->kind, block->count);
  for (int g = 0; g < 4 && geometry->values[g]; g++) {
    const uint32_t stride = geometry->stream[g] + SWZIP_STREAM_GAP;
    const prefetch_range ahead = ahead_of(block, g);
    decode_group(block->streams, block->stream_offset + 8 * g, geometry->stream[g], geometry->values[g], low, stride,
                 block->table[g], ahead.from, ahead.to, block->raw_plane + plane_bytes * (size_t)g / 4,
                 block->raw_plane + plane_bytes * (size_t)(g + 1) / 4);
    low += 8 * (size_t)stride;
  }
}
