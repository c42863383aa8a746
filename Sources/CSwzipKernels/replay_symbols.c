// The symbols and low bits of replayed blocks (spec/codecs/replay.md).
#include "delta.h"
#include "replay.h"

enum { TOKEN_BITS = 3, MOST_LOW_BITS = 24 };

swzip_replay_shape swzip_replay_shape_of(unsigned type) {
  const replay_shape shape = replay_shape_of(type);
  return (swzip_replay_shape){shape.elements, shape.bytes, shape.groups, shape.has_minimum};
}

static uint8_t *write_tokens(const int16_t *differences, size_t count, uint8_t *symbols, delta_bits *low) {
  for (size_t i = 0; i < count; i++) {
    const int32_t d = differences[i], magnitude = d < 0 ? -d : d;
    const unsigned token = delta_token((uint64_t)magnitude, TOKEN_BITS), bits = delta_low_bits(token, TOKEN_BITS);
    symbols[i] = (uint8_t)(token | (d < 0 ? 128 : 0));
    delta_append(low, (uint64_t)magnitude & (((uint64_t)1 << bits) - 1), bits);
  }
  return symbols + count;
}

size_t swzip_replay_write(const swzip_replay *replay, const swzip_replay_block *block, uint8_t *symbols, uint8_t *low) {
  const replay_shape shape = replay_shape_of(replay->type);
  const size_t grouped = block->count * shape.groups;
  delta_bits bits = {low, 0, 0};
  symbols = write_tokens(block->scale, block->count, symbols, &bits);
  if (shape.has_minimum) symbols = write_tokens(block->minimum, block->count, symbols, &bits);
  memcpy(symbols, block->scales, grouped);
  symbols += grouped;
  if (shape.has_minimum) {
    memcpy(symbols, block->minima, grouped);
    symbols += grouped;
  }
  for (size_t i = 0, next = 0; i < block->changed; next = (size_t)block->places[i] + 1, i++) {
    const uint64_t gap = block->places[i] - next;
    const unsigned token = delta_token(gap, TOKEN_BITS), count = delta_low_bits(token, TOKEN_BITS);
    symbols[i] = (uint8_t)token;
    delta_append(&bits, gap & (((uint64_t)1 << count) - 1), count);
  }
  memcpy(symbols + block->changed, block->changes, block->changed);
  return (size_t)(bits.at - low) + (bits.filled > 0);
}

typedef struct {
  const uint8_t *from;
  size_t at, end;  // in bits
} low_reader;

static bool read_magnitude(low_reader *low, unsigned token, uint32_t *magnitude) {
  const unsigned bits = delta_low_bits(token, TOKEN_BITS);
  if (bits > MOST_LOW_BITS || bits > low->end - low->at) return false;
  // At most 31 bits, of which none lies past the slack.
  const uint32_t in = bits ? load32(low->from + low->at / 8) >> low->at % 8 & ((1u << bits) - 1) : 0;
  low->at += bits;
  *magnitude = (uint32_t)delta_magnitude(token, TOKEN_BITS) | in;
  return true;
}

static bool read_tokens(low_reader *low, const uint8_t *symbols, size_t count, int16_t *differences) {
  for (size_t i = 0; i < count; i++) {
    uint32_t magnitude;
    if (!read_magnitude(low, symbols[i] & 127, &magnitude)) return false;
    differences[i] = (int16_t)(symbols[i] & 128 ? 0 - magnitude : magnitude);
  }
  return true;
}

bool swzip_replay_read(const swzip_replay *replay, uint8_t *symbols, const uint8_t *low, size_t *low_bytes,
                       swzip_replay_block *block) {
  const replay_shape shape = replay_shape_of(replay->type);
  const size_t grouped = block->count * shape.groups, elements = block->count * shape.elements;
  low_reader bits = {low, 0, 8 * *low_bytes};
  if (!read_tokens(&bits, symbols, block->count, block->scale)) return false;
  symbols += block->count;
  if (shape.has_minimum) {
    if (!read_tokens(&bits, symbols, block->count, block->minimum)) return false;
    symbols += block->count;
  }
  block->scales = symbols;
  symbols += grouped;
  block->minima = symbols;
  if (shape.has_minimum) symbols += grouped;
  size_t next = 0;
  for (size_t i = 0; i < block->changed; i++) {
    uint32_t gap;
    if (!read_magnitude(&bits, symbols[i], &gap) || gap >= elements - next) return false;
    block->places[i] = (uint32_t)(next + gap);
    next += (size_t)gap + 1;
  }
  block->changes = symbols + block->changed;
  *low_bytes = (bits.at + 7) / 8;
  return true;
}
