// NEON: differences to a base, for values of LANE bits, in vectors of as many lanes. delta_neon.c includes this for 8, 16 and 32.
#define lanes NAME(lanes)
#define signed_lanes NAME(signed_lanes)
#define ALL(x) INTRINSIC(vdupq_n_u)((NAME(lane))(x))
#define SHIFT(v, by) INTRINSIC(vshlq_u)(v, (signed_lanes)(by))  // down where it is negative
enum { NAME(parts) = LANE / 8, NAME(k) = LANE == 32 ? 2 : 3 };  // vectors for 16 values; delta_token_bits
#define PARTS NAME(parts)
#define K NAME(k)

// 16 bytes to lanes, and the lowest bytes of lanes back.
INLINE void NAME(widen)(vec bytes, lanes part[PARTS]) {
#if LANE == 8
  part[0] = bytes;
#elif LANE == 16
  part[0] = vmovl_u8(vget_low_u8(bytes));
  part[1] = vmovl_high_u8(bytes);
#else
  const uint16x8_t low = vmovl_u8(vget_low_u8(bytes)), high = vmovl_high_u8(bytes);
  part[0] = vmovl_u16(vget_low_u16(low));
  part[1] = vmovl_high_u16(low);
  part[2] = vmovl_u16(vget_low_u16(high));
  part[3] = vmovl_high_u16(high);
#endif
}
INLINE vec NAME(narrow)(const lanes part[PARTS]) {
#if LANE == 8
  return part[0];
#elif LANE == 16
  return vuzp1q_u8((vec)part[0], (vec)part[1]);
#else
  const uint16x8_t low = vuzp1q_u16((uint16x8_t)part[0], (uint16x8_t)part[1]);
  const uint16x8_t high = vuzp1q_u16((uint16x8_t)part[2], (uint16x8_t)part[3]);
  return vuzp1q_u8((vec)low, (vec)high);
#endif
}

// All bits where a lane is negative.
INLINE lanes NAME(negative)(lanes v) { return (lanes)((signed_lanes)v >> (LANE - 1)); }
INLINE lanes NAME(negate)(lanes v, lanes where) { return (v ^ where) - where; }
INLINE lanes NAME(signs)(const bool is_float) { return ALL(is_float ? 1u << (LANE - 1) : 0); }
// To and from the order of numbers.
INLINE lanes NAME(reorder)(lanes v, lanes sign) { return v ^ (NAME(negative)(v) & (sign - 1)); }

INLINE lanes NAME(difference)(const uint8_t *values, const uint8_t *base, const bool is_float) {
  const lanes sign = NAME(signs)(is_float), b = (lanes)LOAD(base), u = (lanes)LOAD(values) ^ (b & sign);
  return (is_float ? NAME(reorder)(u, sign) : u) - (b & ~sign);
}
INLINE void NAME(move)(lanes magnitude, lanes symbol, const uint8_t *base, const bool is_float, uint8_t *out) {
  const lanes sign = NAME(signs)(is_float), b = (lanes)LOAD(base);
  const lanes y = (b & ~sign) + NAME(negate)(magnitude, NAME(negative)(symbol << (LANE - 8)));
  STORE(out, (vec)(is_float ? NAME(reorder)(y, sign) ^ (b & sign) : y));
}

// ---------------------------------------------------------------- encoding

INLINE void NAME(symbols)(const uint8_t *values, const uint8_t *base, size_t groups, const bool is_float, uint8_t *symbols) {
  const signed_lanes zero = (signed_lanes)ALL(0);
  for (size_t i = 0; i < groups; i++, values += 2 * LANE, base += 2 * LANE) {
    lanes part[PARTS];
    for (int p = 0; p < PARTS; p++) {
      const lanes g = NAME(difference)(values + 16 * p, base + 16 * p, is_float), negative = NAME(negative)(g);
      const lanes magnitude = NAME(negate)(g, negative);
      const signed_lanes low = (signed_lanes)(ALL(LANE - 1 - K) - INTRINSIC(vclzq_u)(magnitude));
      const lanes head = (lanes)INTRINSIC(vmaxq_s)(low + 1, zero) << K;
      const lanes behind = SHIFT(magnitude, -INTRINSIC(vmaxq_s)(low, zero)) & ALL((1 << K) - 1);
      part[p] = head | behind | (negative & ALL(128));
    }
    STORE(symbols + 16 * i, NAME(narrow)(part));
  }
}

INLINE void NAME(low_bits)(const uint8_t *values, const uint8_t *base, const uint8_t *symbols, size_t groups,
                           const bool is_float, delta_bits *bits) {
  for (size_t i = 0; i < groups; i++, values += 2 * LANE, base += 2 * LANE) {
    const vec counts = low_counts(LOAD(symbols + 16 * i), K);
    if (vmaxvq_u8(counts) == 0) continue;
    lanes low[PARTS];
    NAME(widen)(counts, low);
    for (int p = 0; p < PARTS; p++) {
      const lanes g = NAME(difference)(values + 16 * p, base + 16 * p, is_float);
      const lanes rest = NAME(negate)(g, NAME(negative)(g)) & ~SHIFT(ALL(-1), low[p]);
      bit_fields fields = {(vec)rest, (vec)low[p]};
      if (LANE == 8) fields = join_8(fields);
      if (LANE <= 16) fields = join_16(fields);
      append_fields(bits, join_32(fields));
    }
  }
}

// ---------------------------------------------------------------- contexts

INLINE void NAME(numbers)(const uint8_t *base, size_t groups, const swzip_delta_kind *kind, unsigned top, unsigned contexts,
                          const uint8_t *map, uint8_t *numbers) {
  const vec tops = vdupq_n_u8((uint8_t)top), most = vdupq_n_u8((uint8_t)(contexts - 1)), mask = vdupq_n_u8(kind->exponent_mask);
  const uint8x16x2_t table = {{LOAD(map), LOAD(map + 16)}};
  for (size_t i = 0; i < groups; i++, base += 2 * LANE) {
    lanes part[PARTS];
    for (int p = 0; p < PARTS; p++) part[p] = (lanes)LOAD(base + 16 * p) >> ALL(kind->exponent_shift);
    const vec context = vminq_u8(vqsubq_u8(tops, NAME(narrow)(part) & mask), most);
    STORE(numbers + 16 * i, vqtbl2q_u8(table, context));
  }
}

// ---------------------------------------------------------------- decoding

// Magnitudes of a vector of tokens whose low bits begin at bit `*at`. They are 16 * 4, 8 * 12 or 4 * 29 bits at most: a look-up in
// 16 bytes fetches all, for each lane the bytes where its bits begin and the one behind them.
INLINE lanes NAME(magnitudes)(lanes token, const uint8_t *bits, size_t *at) {
  const lanes low = INTRINSIC(vqsubq_u)(token >> K, ALL(1)), leading = ALL(1 << K);
  const lanes head = (token & ALL((1 << K) - 1)) | (INTRINSIC(vcgeq_u)(token, leading) & leading);
  lanes sum = low;  // up to each lane
#define ADD_BELOW(step) \
  if (step * LANE < 128) sum += (lanes)vextq_u8(vdupq_n_u8(0), (vec)sum, (16 - step * LANE / 8) & 15);
  ADD_BELOW(1) ADD_BELOW(2) ADD_BELOW(4) ADD_BELOW(8)
#undef ADD_BELOW
  const vec window = LOAD(bits + *at / 8);
  const lanes place = sum - low + ALL(*at % 8), byte = place >> 3, within = place & 7;
  const vec here = vqtbl1q_u8(window, (vec)(byte * ALL(0x01010101) + ALL(0x03020100)));
  const vec behind = vqtbl1q_u8(window, (vec)((byte + LANE / 8) | ALL(~255u)));
  const lanes rest = SHIFT((lanes)here, -within) | SHIFT((lanes)behind, LANE - within);
  *at += INTRINSIC(vgetq_lane_u)(sum, 128 / LANE - 1);
  return SHIFT(head, low) + (rest & ~SHIFT(ALL(-1), low));
}

// Groups of 16 values; returns how many are done: all, or those before the one whose low bits are more than there are.
INLINE size_t NAME(apply)(const uint8_t *symbols, const uint8_t *bits, size_t bit_count, const uint8_t *base, size_t groups,
                          const bool is_float, uint8_t *out, size_t *at) {
  for (size_t i = 0; i < groups; i++, base += 2 * LANE, out += 2 * LANE) {
    const vec all = LOAD(symbols + 16 * i), counts = low_counts(all, K);
    lanes symbol[PARTS];
    NAME(widen)(all, symbol);
    if (vmaxvq_u8(counts) == 0) {  // tokens are magnitudes
      for (int p = 0; p < PARTS; p++) NAME(move)(symbol[p] & 127, symbol[p], base + 16 * p, is_float, out + 16 * p);
      continue;
    }
    if (vaddlvq_u8(counts) > bit_count - *at) return i;
    for (int p = 0; p < PARTS; p++)
      NAME(move)(NAME(magnitudes)(symbol[p] & 127, bits, at), symbol[p], base + 16 * p, is_float, out + 16 * p);
  }
  return groups;
}

#undef lanes
#undef signed_lanes
#undef ALL
#undef SHIFT
#undef PARTS
#undef K
#undef LANE
