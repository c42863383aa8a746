// AVX-512 (Ice Lake, Zen 4 and later): merge, split, encode and histogram in vectors of 64 bytes. Gives the bytes of portable.c.
// What is not here is AVX2's.
#if defined(__x86_64__)
#include "avx512.h"
#define XXH_VECTOR 2
#define XXH_INLINE_ALL
#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>

#include "xxh3.h"

// Bytes 0 to 63 in order.
INLINE vec byte_numbers(void) {
  const vec eight = _mm512_set1_epi64(0x0706050403020100), lane = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm512_add_epi8(eight, _mm512_shuffle_epi8(_mm512_slli_epi64(lane, 3), _mm512_set_epi64(
      0x0808080808080808, 0, 0x0808080808080808, 0, 0x0808080808080808, 0, 0x0808080808080808, 0)));
}

// ---------------------------------------------------------------- Huffman encode

// 64 symbols a round, without a scalar step on the way:
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
static NOINLINE uint8_t *huffman_encode(const uint8_t *symbols, size_t count, const swzip_encode_table *table,
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

// ---------------------------------------------------------------- split

// A unit is four pairs of rows. The numbers of the even and odd bytes of two vectors:
#define EVEN(x, y) _mm512_permutex2var_epi8(x, even, y)
#define ODD(x, y) _mm512_permutex2var_epi8(x, odd, y)

INLINE bool split_units(const swzip_float_kind kind, const uint8_t *values, uint32_t units, uint16_t window_base,
                        uint8_t *symbols, uint8_t *raw, uint8_t *low0, uint8_t *low1) {
  const bool wide = kind == SWZIP_F32_J0 || kind == SWZIP_F32_J1;
  const unsigned raw_bits = kind == SWZIP_BF16_J0 || kind == SWZIP_F32_J0   ? 8
                            : kind == SWZIP_BF16_J1 || kind == SWZIP_F32_J1 ? 7
                                                                            : 10;
  const vec even = _mm512_add_epi8(byte_numbers(), byte_numbers()), odd = _mm512_or_si512(even, _mm512_set1_epi8(1));
  const vec even16 = _mm512_slli_epi16(_mm512_cvtepu8_epi16(_mm512_castsi512_si256(byte_numbers())), 1);
  const vec odd16 = _mm512_or_si512(even16, _mm512_set1_epi16(1)), quarters = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
  const vec base = _mm512_set1_epi16((short)window_base), one = _mm512_set1_epi16(1);
  vec most = _mm512_setzero_si512(), least = _mm512_set1_epi16(-1);  // symbols; fields - 1, those of 0 wrapping
  for (uint32_t unit = 0; unit < units; unit++) {
    vec low[4], high[4];
    // The processor's own prefetchers stop at the end of a page. Only a hint: the addresses need not exist.
    for (int line = 0; line < (wide ? 16 : 8); line++)
      __builtin_prefetch((const void *)((uintptr_t)values + 4096 + 64 * (uintptr_t)line));
    _Pragma("clang loop unroll(full)") for (int q = 0; q < 4; q++) {
      vec x, y;
      if (wide) {
        const vec v0 = LOAD(values), v1 = LOAD(values + 64), v2 = LOAD(values + 128), v3 = LOAD(values + 192);
        x = _mm512_permutex2var_epi16(v0, odd16, v1);
        y = _mm512_permutex2var_epi16(v2, odd16, v3);
        const vec l = _mm512_permutex2var_epi16(v0, even16, v1), m = _mm512_permutex2var_epi16(v2, even16, v3);
        STORE(low0 + 64 * q, EVEN(l, m));
        STORE(low1 + 64 * q, ODD(l, m));
        values += 256;
      } else {
        x = LOAD(values);
        y = LOAD(values + 64);
        values += 128;
      }
      x = _mm512_shldi_epi16(x, x, 1);
      y = _mm512_shldi_epi16(y, y, 1);
      low[q] = EVEN(x, y);
      vec s;
      if (raw_bits == 7) {
        x = _mm512_srli_epi16(x, 7);
        y = _mm512_srli_epi16(y, 7);
        least = _mm512_min_epu16(least, _mm512_min_epu16(_mm512_sub_epi16(x, one), _mm512_sub_epi16(y, one)));
        x = _mm512_subs_epu16(x, base);
        y = _mm512_subs_epu16(y, base);
        most = _mm512_max_epu16(most, _mm512_max_epu16(x, y));
        s = _mm512_permutexvar_epi64(quarters, _mm512_packus_epi16(x, y));
      } else {
        s = ODD(x, y);
        if (raw_bits == 10) {
          high[q] = s;
          s = _mm512_and_si512(_mm512_srli_epi16(s, 2), _mm512_set1_epi8(0x3F));
        }
      }
      STORE(symbols + 64 * q, s);
    }
    if (raw_bits == 8) {
      for (int q = 0; q < 4; q++) STORE(raw + 64 * q, low[q]);
    } else if (raw_bits == 7) {
      // byte = raw << 1 (the field's lowest bit falls off) | bit of row 7, which is in both halves of `carried`
      const vec carried = _mm512_shuffle_i64x2(low[3], low[3], 0xEE);
      vec bit = _mm512_inserti64x4(_mm512_setzero_si512(), _mm256_set1_epi16(1), 1);
      _Pragma("clang loop unroll(full)") for (int q = 0; q < 4; q++) {
        const vec r = _mm512_ternarylogic_epi64(_mm512_add_epi8(low[q], low[q]), _mm512_srlv_epi16(carried, bit),
                                                _mm512_set1_epi8(1), 0xF8);  // a | (b & c)
        bit = _mm512_add_epi16(bit, _mm512_set1_epi16(2));
        if (q < 3) STORE(raw + 64 * q, r);
        else STORE_HALF(raw + 192, _mm512_castsi512_si256(r));
      }
    } else {
      _Pragma("clang loop unroll(full)") for (int half = 0; half < 2; half++) {
        const vec a = high[2 * half], b = _mm512_slli_epi16(high[2 * half + 1], 4);
        const vec m = _mm512_or_si512(_mm512_and_si512(a, _mm512_set1_epi8(3)), _mm512_and_si512(b, _mm512_set1_epi8(0x30)));
        STORE_HALF(raw + 160 * half, _mm256_or_si256(_mm512_castsi512_si256(m),
                                                     _mm256_slli_epi16(_mm512_extracti64x4_epi64(m, 1), 2)));
        STORE(raw + 160 * half + 32, low[2 * half]);
        STORE(raw + 160 * half + 96, low[2 * half + 1]);
      }
    }
    raw += 32 * raw_bits;
    symbols += SWZIP_UNIT;
    if (wide) low0 += SWZIP_UNIT, low1 += SWZIP_UNIT;
  }
  // a field of 1 to the base has no symbol, nor has one more than 255 above it
  return (_mm512_cmplt_epu16_mask(least, base) | _mm512_cmpgt_epu16_mask(most, _mm512_set1_epi16(255))) != 0;
}

#define SPLIT(kind, name)                                                                                          \
  static NOINLINE bool split_##name(const uint8_t *values, uint32_t units, uint16_t base, uint8_t *symbols,        \
                                    uint8_t *raw, uint8_t *low0, uint8_t *low1) {                                  \
    return split_units(kind, values, units, base, symbols, raw, low0, low1);                                       \
  }
SPLIT(SWZIP_BF16_J0, bf16_j0) SPLIT(SWZIP_BF16_J1, bf16_j1) SPLIT(SWZIP_F16_J1, f16_j1)
SPLIT(SWZIP_F32_J0, f32_j0) SPLIT(SWZIP_F32_J1, f32_j1)
static swzip_split_function *const split_functions[] = {
    [SWZIP_BF16_J0] = split_bf16_j0, [SWZIP_BF16_J1] = split_bf16_j1, [SWZIP_F16_J1] = split_f16_j1,
    [SWZIP_E4M3_J1] = NULL, [SWZIP_E5M2_J1] = NULL, [SWZIP_F32_J0] = split_f32_j0, [SWZIP_F32_J1] = split_f32_j1,
    [SWZIP_F32_U1] = NULL,  // nor have the others
};

static bool float_split(swzip_float_kind kind, const void *values, uint32_t count, uint16_t window_base,
                        uint8_t *symbols, uint8_t *raw_plane, uint8_t *low0, uint8_t *low1) {
  if (!split_functions[kind]) return swzip_avx2_float_split(kind, values, count, window_base, symbols, raw_plane, low0, low1);
  return swzip_avx2_split_by(split_functions[kind], kind, values, count, window_base, symbols, raw_plane, low0, low1);
}

// ---------------------------------------------------------------- merge

// As in avx2_decode.c, two rows of 32 values at a time; a vector of 32 values of 16 bits is a stripe of XXH3.
#define PUT(j, v)                                                                        \
  {                                                                                      \
    const vec put = v, key = _mm512_xor_si512(put, LOAD(secret + 8 * (j)));              \
    if (streaming) _mm512_stream_si512((void *)(out + 64 * (j)), put);                   \
    else STORE(out + 64 * (j), put);                                                     \
    lanes = _mm512_add_epi64(_mm512_add_epi64(lanes, _mm512_shuffle_epi32(put, 0x4E)),   \
                             _mm512_mul_epu32(key, _mm512_srli_epi64(key, 32)));         \
  }

INLINE vec halves(__m256i low, __m256i high) {
  return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}
#define LOAD_HALF(p) _mm256_loadu_si256((const __m256i *)(const void *)(p))

INLINE void merge_units(const swzip_float_kind kind, const bool streaming, const bool sorted,
                        const swzip_merge_input *in, uint32_t first, uint32_t end, swzip_hash_lanes *hash) {
  const bool wide = kind == SWZIP_F32_J0 || kind == SWZIP_F32_J1, joint = kind == SWZIP_BF16_J1 || kind == SWZIP_F32_J1;
  const size_t width = wide ? 4 : 2, raw_bytes = 32 * (joint ? 7 : kind == SWZIP_F16_J1 ? 10 : 8);
  uint8_t *out = in->out + first * width * SWZIP_UNIT;
  const uint8_t *raw = in->raw_plane + first * raw_bytes, *symbols = in->symbols;
  const uint8_t *low0 = wide ? in->low0 + (size_t)first * SWZIP_UNIT : NULL;
  const uint8_t *low1 = wide ? in->low1 + (size_t)first * SWZIP_UNIT : NULL;
  const uint32_t *index = sorted ? in->index + (size_t)first * 8 : NULL;
  const vec base = _mm512_set1_epi16((short)(in->window_base << 6)), none = _mm512_set1_epi16(63);
  const vec sign = _mm512_set1_epi16((short)0x8000);
  // bytes (words) 0 to 31 (0 to 15) of one vector and of another in turn; the others are 32 (16) further
  const vec word = _mm512_cvtepu8_epi16(_mm512_castsi512_si256(byte_numbers()));
  const vec weave_low = _mm512_or_si512(word, _mm512_slli_epi16(_mm512_or_si512(word, _mm512_set1_epi16(64)), 8));
  const vec weave_high = _mm512_add_epi8(weave_low, _mm512_set1_epi8(32));
  const vec dword = _mm512_cvtepu8_epi32(_mm512_castsi512_si128(byte_numbers()));
  const vec weave16_low = _mm512_or_si512(dword, _mm512_slli_epi32(_mm512_or_si512(dword, _mm512_set1_epi32(32)), 16));
  const vec weave16_high = _mm512_add_epi16(weave16_low, _mm512_set1_epi16(16));
  vec lanes = LOAD(hash->lane);
  for (uint32_t unit = first; unit < end; unit++) {
    const uint8_t *const secret = XXH3_kSecret + (unit * 4 * width & 15) * 8;
    vec carried = _mm512_setzero_si512();
    _Pragma("clang loop unroll(full)") for (int q = 0; q < 4; q++) {
      vec s = sorted ? halves(LOAD_HALF(symbols + index[2 * q]), LOAD_HALF(symbols + index[2 * q + 1]))
                     : LOAD(symbols + 64 * q);
      vec r;
      if (joint) {
        if (q < 3) {
          // bit 0 of row j is bit j of row 7's raw value
          r = LOAD(raw + 64 * q);
          const vec count = halves(_mm256_set1_epi16((short)(2 * q + 1)), _mm256_set1_epi16((short)(2 * q + 2)));
          const vec mask = halves(_mm256_set1_epi8((char)(2 << 2 * q)), _mm256_set1_epi8((char)(4 << 2 * q)));
          carried = _mm512_ternarylogic_epi64(carried, _mm512_sllv_epi16(r, count), mask, 0xF8);  // a | (b & c)
        } else {
          const __m256i six = LOAD_HALF(raw + 192), seven = _mm256_or_si256(_mm512_castsi512_si256(carried), _mm512_extracti64x4_epi64(carried, 1));
          r = halves(six, _mm256_ternarylogic_epi64(seven, _mm256_slli_epi16(six, 7), _mm256_set1_epi8((char)0x80), 0xF8));
        }
      } else if (kind == SWZIP_F16_J1) {
        // the symbol byte holds symbol << 2: bits 8 and 9 of the raw value complete it
        const int half = q / 2, k = 2 * (q & 1);
        const vec high = _mm512_broadcast_i64x4(LOAD_HALF(raw + 160 * half));
        const vec count = halves(_mm256_set1_epi16((short)(2 * k)), _mm256_set1_epi16((short)(2 * k + 2)));
        s = _mm512_ternarylogic_epi64(s, _mm512_srlv_epi16(high, count), _mm512_set1_epi8(3), 0xF8);
        r = LOAD(raw + 160 * half + 32 + 32 * k);
      } else {
        r = LOAD(raw + 64 * q);
      }
      vec x = _mm512_permutex2var_epi8(r, weave_low, s), y = _mm512_permutex2var_epi8(r, weave_high, s);
      if (joint) {
        // symbol << 8 | raw << 1 | free bit: see avx2_decode.c
        const vec p = _mm512_srli_epi16(x, 2), t = _mm512_srli_epi16(y, 2);
        x = _mm512_ternarylogic_epi64(_mm512_mask_add_epi16(p, _mm512_cmpgt_epi16_mask(p, none), p, base),
                                      _mm512_slli_epi16(x, 14), sign, 0xF8);
        y = _mm512_ternarylogic_epi64(_mm512_mask_add_epi16(t, _mm512_cmpgt_epi16_mask(t, none), t, base),
                                      _mm512_slli_epi16(y, 14), sign, 0xF8);
      } else {
        x = _mm512_shrdi_epi16(x, x, 1);
        y = _mm512_shrdi_epi16(y, y, 1);
      }
      if (wide) {
        const vec p0 = LOAD(low0 + 64 * q), p1 = LOAD(low1 + 64 * q);
        const vec l = _mm512_permutex2var_epi8(p0, weave_low, p1), m = _mm512_permutex2var_epi8(p0, weave_high, p1);
        PUT(4 * q, _mm512_permutex2var_epi16(l, weave16_low, x))
        PUT(4 * q + 1, _mm512_permutex2var_epi16(l, weave16_high, x))
        PUT(4 * q + 2, _mm512_permutex2var_epi16(m, weave16_low, y))
        PUT(4 * q + 3, _mm512_permutex2var_epi16(m, weave16_high, y))
      } else {
        PUT(2 * q, x)
        PUT(2 * q + 1, y)
      }
    }
    if (((unit + 1) * 4 * width & 15) == 0) {
      const vec prime = _mm512_set1_epi32((int)XXH_PRIME32_1);
      const vec x = _mm512_ternarylogic_epi64(lanes, _mm512_srli_epi64(lanes, 47), LOAD(XXH3_kSecret + 128), 0x96);  // xor
      lanes = _mm512_add_epi64(_mm512_mul_epu32(x, prime),
                               _mm512_slli_epi64(_mm512_mul_epu32(_mm512_srli_epi64(x, 32), prime), 32));
    }
    out += width * SWZIP_UNIT;
    raw += raw_bytes;
    if (wide) low0 += SWZIP_UNIT, low1 += SWZIP_UNIT;
    if (sorted) index += 8;
    else symbols += SWZIP_UNIT;
  }
  STORE(hash->lane, lanes);
}

#define MERGE_AS(kind, name, streaming, sorted)                                                                \
  static NOINLINE void merge_##name(const swzip_merge_input *in, uint32_t first, uint32_t end, swzip_hash_lanes *h) { \
    merge_units(kind, streaming, sorted, in, first, end, h);                                                    \
  }
#define MERGE(kind, name)                                                                               \
  MERGE_AS(kind, name##_cached, false, false) MERGE_AS(kind, name##_cached_sorted, false, true)        \
  MERGE_AS(kind, name##_streaming, true, false) MERGE_AS(kind, name##_streaming_sorted, true, true)
MERGE(SWZIP_BF16_J0, bf16_j0) MERGE(SWZIP_BF16_J1, bf16_j1) MERGE(SWZIP_F16_J1, f16_j1) MERGE(SWZIP_F32_J0, f32_j0)
MERGE(SWZIP_F32_J1, f32_j1)
#define MERGES(name) {{merge_##name##_cached, merge_##name##_cached_sorted}, {merge_##name##_streaming, merge_##name##_streaming_sorted}}
static const swzip_merge_functions merges = {
    [SWZIP_BF16_J0] = MERGES(bf16_j0), [SWZIP_BF16_J1] = MERGES(bf16_j1), [SWZIP_F16_J1] = MERGES(f16_j1),
    [SWZIP_F32_J0] = MERGES(f32_j0), [SWZIP_F32_J1] = MERGES(f32_j1),
};

static bool float_decode(const swzip_float_block *block, void *out, uint8_t *scratch, bool streaming, uint64_t *hash) {
  // streaming to a place that suits vectors of 32 bytes only is still better than no streaming
  if (!merges[block->kind][0][0] || (streaming && ((uintptr_t)out & 63) == 32))
    return swzip_avx2_decode_by(swzip_avx2_merges[block->kind], 32, block, out, scratch, streaming, hash);
  return swzip_avx2_decode_by(merges[block->kind], 64, block, out, scratch, streaming, hash);
}

// ---------------------------------------------------------------- histogram

// Counts the symbols of a window of 64. For each eighth of the window one byte look-up gives a symbol's bit (0 if it is
// not in that eighth); a bit matrix is turned, so that a byte holds the bits of one symbol from eight places, and its ones
// are counted. A byte counter takes 8 more each time: 31 times at most. Bytes outside the window are counted one by
// one; if they are many, the plain kernel does the rest.
static NOINLINE void histogram_add(const uint8_t *bytes, size_t count, size_t step, uint32_t counts[256]) {
  const size_t pair = 64 * step;
  const size_t pairs = count >= 32 * step + 32 ? (count - 32 * step - 32) / pair + 1 : 0;  // two whole runs each
  if (pairs < 8) {
    swzip_histogram_add_plain(bytes, count, step, counts);
    return;
  }
#define RUNS(i)                                                                                                    \
  _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_loadu_si256((const __m256i *)(const void *)(bytes + (i) * pair))), \
                     _mm256_loadu_si256((const __m256i *)(const void *)(bytes + (i) * pair + 32 * step)), 1)
  // symbols of floats have a clear upper end: the window ends with the largest one of a sample
  vec most = RUNS(0);
  for (size_t i = 1; i < pairs; i += (pairs + 15) / 16) most = _mm512_max_epu8(most, RUNS(i));
  _Alignas(64) uint8_t each[64];
  _mm512_store_si512((void *)each, most);
  unsigned top = 63;
  for (int i = 0; i < 64; i++) top = each[i] > top ? each[i] : top;
  const unsigned first = top - 63;
  const vec one_bit = _mm512_set1_epi64((long long)0x8040201008040201), numbers = byte_numbers();
  const vec eighth = _mm512_and_si512(_mm512_srli_epi16(numbers, 3), _mm512_set1_epi8(7));
  vec table[8], wide[8];
  for (int b = 0; b < 8; b++) {
    table[b] = _mm512_maskz_mov_epi8(_mm512_cmpeq_epi8_mask(eighth, _mm512_set1_epi8((char)b)), one_bit);
    wide[b] = _mm512_setzero_si512();
  }
  size_t i = 0;
  for (size_t outside = 0; i < pairs && outside <= 2 * i;) {
    vec sum[8];
    for (int b = 0; b < 8; b++) sum[b] = _mm512_setzero_si512();
    const size_t stop = pairs - i < 31 ? pairs : i + 31;
    for (; i < stop; i++) {
      const vec loaded = RUNS(i), x = _mm512_sub_epi8(loaded, _mm512_set1_epi8((char)first));
      const __mmask64 inside = _mm512_cmplt_epu8_mask(x, _mm512_set1_epi8(64));
      if (__builtin_expect(~inside != 0, 0)) {
        _mm512_store_si512((void *)each, loaded);
        for (__mmask64 left = ~inside; left; left &= left - 1, outside++) counts[each[__builtin_ctzll(left)]]++;
      }
      _Pragma("clang loop unroll(full)") for (int b = 0; b < 8; b++) {
        const vec bits = _mm512_maskz_permutexvar_epi8(inside, x, table[b]);
        // the matrix is the data: applied to the byte 1 << k it gives bit k of its eight rows
        const vec turned = _mm512_gf2p8affine_epi64_epi8(one_bit, bits, 0);
        sum[b] = _mm512_add_epi8(sum[b], _mm512_popcnt_epi8(turned));
      }
    }
    // the eight places of each symbol together: 8 * 248 at most
    for (int b = 0; b < 8; b++) {
      vec words = _mm512_add_epi16(_mm512_cvtepu8_epi16(_mm512_castsi512_si256(sum[b])),
                                   _mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64(sum[b], 1)));
      const __m256i half = _mm256_add_epi16(_mm512_castsi512_si256(words), _mm512_extracti64x4_epi64(words, 1));
      const __m128i eight = _mm_add_epi16(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
      wide[b] = _mm512_add_epi64(wide[b], _mm512_cvtepu16_epi64(eight));
    }
  }
  for (int b = 0; b < 8; b++) {
    uint64_t mine[8];
    STORE(mine, wide[b]);
    for (int k = 0; k < 8; k++) counts[first + 8 * (unsigned)b + (unsigned)k] += (uint32_t)mine[k];
  }
  if (i * pair < count) swzip_histogram_add_plain(bytes + i * pair, count - i * pair, step, counts);
#undef RUNS
}

// ---------------------------------------------------------------- sparse

static void sparse_expand(const uint8_t *mask, uint32_t count, unsigned width, const void *values, void *out) {
  const uint8_t *in = values;
  uint8_t *const bytes = out;
  uint32_t i = 0;
  switch (width) {
    case 1:
      for (; i + 64 <= count; i += 64) {
        const uint64_t bits = load64(mask + i / 8);
        STORE(bytes + i, _mm512_maskz_expand_epi8(bits, LOAD(in)));
        in += __builtin_popcountll(bits);
      }
      break;
    case 2:
      for (; i + 32 <= count; i += 32) {
        const uint32_t bits = load32(mask + i / 8);
        STORE(bytes + 2 * (size_t)i, _mm512_maskz_expand_epi16(bits, LOAD(in)));
        in += 2 * __builtin_popcount(bits);
      }
      break;
    default:
      for (; i + 16 <= count; i += 16) {
        const uint16_t bits = load16(mask + i / 8);
        STORE(bytes + 4 * (size_t)i, _mm512_maskz_expand_epi32(bits, LOAD(in)));
        in += 4 * __builtin_popcount(bits);
      }
  }
  swzip_sparse_expand_from(mask, i, count, width, in, out);
}

const swzip_kernel_set swzip_kernels_avx512 = {
    .histogram_add = histogram_add,
    .xxh3_64 = swzip_xxh3_64_avx2,
    .xxh3_128_add = swzip_xxh3_128_add_avx2,
    .table_build = swzip_avx2_table_build,
    .huffman_encode = huffman_encode,
    .symbols_decode = swzip_avx2_symbols_decode,
    .float_decode = float_decode,
    .float_split = float_split,
    .fixed4_escapes = swzip_avx2_fixed4_escapes,
    .fixed4_decode = swzip_avx2_fixed4_decode,
    .fixed4_encode = swzip_avx2_fixed4_encode,
    .row_sums = swzip_avx2_row_sums,
    .rans_decode = swzip_avx512_rans_decode,
    .rans_numbers = swzip_avx2_rans_numbers,
    .sparse_expand = sparse_expand,
    .delta_symbols = swzip_avx2_delta_symbols,
    .delta_low_bits = swzip_avx2_delta_low_bits,
    .delta_numbers = swzip_avx2_delta_numbers,
    .delta_apply = swzip_avx512_delta_apply,
    .delta_dense = swzip_avx2_delta_dense,
    .predict = swzip_avx2_predict,
};
#pragma clang attribute pop
#endif
