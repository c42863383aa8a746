// AVX-512: Huffman encoding, 64 symbols a round, without a scalar step on the way:
// - reversed, so that the first of the stream (the last in memory) lies lowest;
// - two word look-ups over a window of 64 symbols give the codes of even and odd ones, a byte look-up the lengths. The
//   first of a pair comes aligned to the top of its word, with the length below: one double shift joins the pair, and
//   takes its count (modulo 16) from that same word;
// - in a pair of lanes the lower part is moved to the lane's top, so that one rotation joins both parts at the bottom:
//   pairs of 16 bits to quads, quads of 32 bits to octets;
// - octets are moved to their bit position modulo 8, taking the bits that fill their first byte from the octet before
//   (a code has a bit at least, an octet eight: one octet before is enough), and their whole bytes are compressed
//   together and stored at once. The octet of the last, broken byte is carried to the next round.
// Rounds with a pair over 16 bits make their octets symbol by symbol, still in vectors. Octets that reach over 64 bits
// with the bits before them, symbols outside the window or without a code take the scalar path.
#if defined(__x86_64__)
#include "vector_avx512.h"

typedef struct {
  const uint8_t *symbols;
  const swzip_encode_table *table;
  uint32_t *missing, *missing_count;
  uint32_t first_position, missing_capacity;
} encode_input;

typedef struct {
  vec carry;       // lane 7: the bits written last, aligned to the top
  vec held;        // in all lanes: number of bits written, modulo 8 at least
  uint8_t *out;    // of the byte that is not whole yet
} encode_state;

// Symbols `from` to `to`, last first.
static NOINLINE void encode_slowly(const encode_input *in, size_t from, size_t to, encode_state *at) {
  encode_state state = *at;
  const swzip_encode_table *const table = in->table;
  const uint8_t *const symbols = in->symbols;
  uint8_t *out = state.out;
  unsigned held = (unsigned)_mm_cvtsi128_si32(_mm512_castsi512_si128(state.held)) & 7;
  const uint64_t carried = (uint64_t)_mm_extract_epi64(_mm512_extracti32x4_epi32(state.carry, 3), 1);
  uint64_t bits = held ? carried >> (64 - held) : 0;
  for (size_t i = to; i-- > from;) {
    unsigned symbol = symbols[i];
    if (__builtin_expect(!table->length[symbol], 0)) {
      if (*in->missing_count < in->missing_capacity) in->missing[*in->missing_count] = in->first_position + (uint32_t)i;
      (*in->missing_count)++;
      symbol = table->cheapest;
    }
    bits |= (uint64_t)table->code[symbol] << held;
    held += table->length[symbol];
    store32(out, (uint32_t)bits);
    out += held >> 3;
    bits >>= held & 56;
    held &= 7;
  }
  state.out = out;
  state.held = _mm512_set1_epi64(held);
  state.carry = _mm512_set1_epi64(held ? (long long)(bits << (64 - held)) : 0);
  *at = state;
}

typedef struct {
  vec first, odd[2], even[2], length;  // `odd`: aligned to the top, the length below; `even`: the code
} encode_window;

static encode_window window_make(const swzip_encode_table *table) {
  encode_window window;
  const unsigned centre = table->first;  // of 32 symbols: 16 more on both sides
  const unsigned first = centre < 16 ? 0 : centre > 208 ? 192 : centre - 16;
  window.first = _mm512_set1_epi8((char)first);
  const vec length = LOAD(table->length + first);
  // without a code: so long that every pair with it is over 16 bits
  window.length = _mm512_mask_blend_epi8(_mm512_testn_epi8_mask(length, length), length, _mm512_set1_epi8(31));
  for (int i = 0; i < 2; i++) {
    const vec code = LOAD(table->code + first + 32 * i);
    const vec bits = _mm512_cvtepu8_epi16(i ? _mm512_extracti64x4_epi64(length, 1) : _mm512_castsi512_si256(length));
    window.even[i] = code;
    window.odd[i] = _mm512_or_si512(_mm512_sllv_epi16(code, _mm512_sub_epi16(_mm512_set1_epi16(16), bits)), bits);
  }
  return window;
}

// The octets of a round, one symbol after the other: eight in each lane, the first of the stream lowest.
static NOINLINE vec octets_of_long(vec early, vec late, vec length) {
  const vec word = _mm512_set1_epi64(0xFFFF), byte = _mm512_set1_epi64(0xFF);
  early = _mm512_srlv_epi16(early, _mm512_sub_epi16(_mm512_set1_epi16(16), _mm512_and_si512(early, _mm512_set1_epi16(15))));
  vec octet = _mm512_setzero_si512();
  for (unsigned i = 4; i-- > 0;) {
    const vec late_length = _mm512_and_si512(_mm512_srli_epi64(length, 16 * i + 8), byte);
    const vec early_length = _mm512_and_si512(_mm512_srli_epi64(length, 16 * i), byte);
    octet = _mm512_sllv_epi64(octet, late_length);
    octet = _mm512_or_si512(octet, _mm512_and_si512(_mm512_srli_epi64(late, 16 * i), word));
    octet = _mm512_sllv_epi64(octet, early_length);
    octet = _mm512_or_si512(octet, _mm512_and_si512(_mm512_srli_epi64(early, 16 * i), word));
  }
  return octet;
}

// One round for the symbols at `symbols`, of which the first `count` (1 to 64) are coded, all of them if `whole`.
// False, and nothing written, if one of them needs the scalar path.
INLINE bool encode_round(const encode_window *window, const uint8_t *symbols, const bool whole, unsigned count,
                         encode_state *state) {
  const vec reverse = _mm512_sub_epi8(_mm512_set1_epi8(63), byte_numbers());
  // the symbols that are not there would come first in the stream: they have no bits, and their octets nothing before
  const __mmask64 there = whole ? ~0ull : ~0ull << (64 - count);
  const vec loaded = whole ? LOAD(symbols) : _mm512_maskz_loadu_epi8(~0ull >> (64 - count), symbols);
  const vec x = _mm512_sub_epi8(_mm512_permutexvar_epi8(reverse, loaded), window->first);
  const __mmask64 inside = _mm512_cmplt_epu8_mask(x, _mm512_set1_epi8(64));
  vec length = _mm512_mask_permutexvar_epi8(_mm512_set1_epi8(31), inside, x, window->length);
  vec early = _mm512_permutex2var_epi16(window->odd[0], x, window->odd[1]);
  vec late = _mm512_permutex2var_epi16(window->even[0], _mm512_srli_epi16(x, 8), window->even[1]);
  if (!whole) {
    length = _mm512_maskz_mov_epi8(there, length);
    early = _mm512_maskz_mov_epi16((__mmask32)_pext_u64(there, 0x5555555555555555), early);
    late = _mm512_maskz_mov_epi16((__mmask32)_pext_u64(there, 0xAAAAAAAAAAAAAAAA), late);
  }
  // pairs, in words
  const vec length2 = _mm512_maddubs_epi16(length, _mm512_set1_epi8(1));
  const vec room2 = _mm512_subs_epu16(_mm512_set1_epi32(16), length2);
  const vec pair = _mm512_sllv_epi16(_mm512_shldv_epi16(late, early, early), room2);
  // quads, in double words
  const vec length4 = _mm512_madd_epi16(length2, _mm512_set1_epi16(1));
  const vec room4 = _mm512_subs_epu16(_mm512_set1_epi64(32), length4);
  const vec quad = _mm512_sllv_epi32(_mm512_rorv_epi32(pair, room2), room4);
  // octets, and the same aligned to the top
  vec octet = _mm512_rorv_epi64(quad, room4);
  if (__builtin_expect(_mm512_cmpgt_epi16_mask(length2, _mm512_set1_epi16(16)) != 0, 0)) {
    if (_mm512_cmpeq_epi8_mask(length, _mm512_set1_epi8(31))) return false;
    octet = octets_of_long(early, late, length);
  }
  const vec zero = _mm512_setzero_si512();
  const vec length8 = _mm512_sad_epu8(length2, zero);
  const vec top = _mm512_sllv_epi64(octet, _mm512_sub_epi64(_mm512_set1_epi64(64), length8));
  const vec before = _mm512_alignr_epi64(top, state->carry, 7);
  // where they start: the sum of the lengths before, byte j of lane i being the length of octet j if j < i, else 0 (as
  // byte 1 of a length is)
  const vec spread = _mm512_permutexvar_epi8(
      _mm512_set_epi64(0x0130282018100800, 0x0101282018100800, 0x0101012018100800, 0x0101010118100800,
                       0x0101010101100800, 0x0101010101010800, 0x0101010101010100, 0x0101010101010101), length8);
  const vec start = _mm512_add_epi64(_mm512_sad_epu8(spread, zero), state->held);
  const vec shift = _mm512_and_si512(start, _mm512_set1_epi64(7)), reach = _mm512_add_epi64(shift, length8);
  if (__builtin_expect(_mm512_cmpgt_epi64_mask(reach, _mm512_set1_epi64(64)) != 0, 0)) return false;
  // byte j of an octet is whole if the octet reaches 8 (j + 1) bits
  const vec each = _mm512_shuffle_epi8(reach, _mm512_set_epi64(0x0808080808080808, 0, 0x0808080808080808, 0,
                                                               0x0808080808080808, 0, 0x0808080808080808, 0));
  const __mmask64 kept = _mm512_cmpge_epu8_mask(each, _mm512_set1_epi64(0x4038302820181008));
  STORE(state->out, _mm512_maskz_compress_epi8(kept, _mm512_shldv_epi64(octet, before, shift)));
  state->out += __builtin_popcountll(kept);
  state->held = _mm512_permutexvar_epi64(_mm512_set1_epi64(7), _mm512_add_epi64(start, length8));
  state->carry = top;
  return true;
}

// A round stores 64 bytes, of which all after the stream's end are overwritten later or slack: 64 symbols or more that
// are still to come have room for 88.
uint8_t *swzip_huffman_encode_avx512(const uint8_t *symbols, size_t count, const swzip_encode_table *table,
                                     uint8_t *out, uint32_t first_position, uint32_t *missing,
                                     uint32_t missing_capacity, uint32_t *missing_count) {
  const encode_input in = {symbols, table, missing, missing_count, first_position, missing_capacity};
  encode_state state = {_mm512_setzero_si512(), _mm512_setzero_si512(), out};
  size_t i = count & ~(size_t)63;
  // Only a copy of the state has its address taken: the state itself stays in registers.
#define SLOWLY(from, to)                    \
  {                                         \
    encode_state copy = state;              \
    encode_slowly(&in, from, to, &copy);    \
    state = copy;                           \
  }
  if (!i) {
    SLOWLY(0, count)
  } else {
    const encode_window window = window_make(table);
    if (count > i && !encode_round(&window, symbols + i, false, (unsigned)(count - i), &state)) SLOWLY(i, count)
    // One failure after the other: the alphabet is wide, and trying costs more than it gives.
    size_t slow = 64;
    while (i) {
      if (__builtin_expect(encode_round(&window, symbols + i - 64, true, 64, &state), 1)) {
        i -= 64;
        slow = 64;
      } else {
        const size_t end = i;
        i -= slow < i ? slow : i;
        slow *= 2;
        SLOWLY(i, end)
      }
    }
  }
#undef SLOWLY
  const unsigned held = (unsigned)_mm_cvtsi128_si32(_mm512_castsi512_si128(state.held)) & 7;
  if (held) *state.out++ = (uint8_t)((uint64_t)_mm_extract_epi64(_mm512_extracti32x4_epi32(state.carry, 3), 1) >> (64 - held));
  return state.out;
}
#pragma clang attribute pop
#endif
