// Values that are predicted from those of other versions (spec/codecs/delta.md): 64 at a time, in loops that the compiler
// makes vectors of. Every operation is one of IEEE 754 that all processors round alike; contraction would change them.
#ifndef SWZIP_PREDICT_H
#define SWZIP_PREDICT_H
#include "kernels.h"

#pragma STDC FP_CONTRACT OFF

enum { PREDICT_CHUNK = 64 };
typedef float predict_vec __attribute__((vector_size(32)));

INLINE float load_float(const uint8_t *p) { float v; memcpy(&v, p, 4); return v; }

INLINE void predict_scaled(const swzip_prediction *p, const uint8_t *x, size_t count, float *out) {
  for (size_t i = 0; i < count; i++) out[i] = (float)(p->scale * (double)load_float(x + 4 * i));
}

INLINE void predict_second_moment(const swzip_prediction *p, const uint8_t *m, const uint8_t *m0, const uint8_t *v0,
                                  size_t count, float *out) {
  const double beta1 = p->beta1, widen = 1 / (1 - p->beta1), share = 1 - p->beta2;
  const float kept = (float)p->beta2;
  for (size_t i = 0; i < count; i++) {
    const double gradient = ((double)load_float(m + 4 * i) - beta1 * (double)load_float(m0 + 4 * i)) * widen;
    const float decayed = kept * load_float(v0 + 4 * i);
    out[i] = (float)((double)decayed + (share * gradient) * gradient);
  }
}

// `out`: the second moments, then the weights; whole vectors.
INLINE void predict_weight(const swzip_prediction *p, const uint8_t *m, const uint8_t *w0, size_t count, float *out) {
  for (size_t i = 0; i < count; i += 8) {
    predict_vec v;
    memcpy(&v, out + i, sizeof v);
    v = __builtin_elementwise_sqrt(v);
    memcpy(out + i, &v, sizeof v);
  }
  for (size_t i = 0; i < count; i++) {
    const float moved = p->step * load_float(m + 4 * i), by = out[i] + p->epsilon;
    const float decayed = p->decay * load_float(w0 + 4 * i), change = moved / by;
    out[i] = decayed - change;
  }
}

INLINE void predict_by(const swzip_prediction *p, const void *const references[4], size_t count, void *out) {
  const uint8_t *const *const in = (const uint8_t *const *)references;
  for (size_t from = 0; from < count; from += PREDICT_CHUNK) {
    const size_t n = count - from < PREDICT_CHUNK ? count - from : PREDICT_CHUNK;
    float result[PREDICT_CHUNK] = {0};
    const uint8_t *last = in[0] + 4 * from;
    if (p->kind == SWZIP_PREDICT_SCALED) {
      predict_scaled(p, last, n, result);
    } else {
      last = in[2] + 4 * from;
      predict_second_moment(p, in[0] + 4 * from, in[1] + 4 * from, last, n, result);
      if (p->kind == SWZIP_PREDICT_WEIGHT) {
        last = in[3] + 4 * from;
        predict_weight(p, in[0] + 4 * from, last, n, result);
      }
    }
    // Which bits a processor gives what is not a number is its own affair.
    uint32_t bits[PREDICT_CHUNK];
    for (size_t i = 0; i < n; i++) {
      uint32_t b;
      memcpy(&b, result + i, 4);
      bits[i] = (b & 0x7FFFFFFF) > 0x7F800000 ? load32(last + 4 * i) : b;
    }
    if (p->is_bf16) {
      uint8_t *const to = (uint8_t *)out + 2 * from;
      for (size_t i = 0; i < n; i++) store16(to + 2 * i, (uint16_t)((bits[i] + 0x7FFF + (bits[i] >> 16 & 1)) >> 16));
    } else {
      memcpy((uint8_t *)out + 4 * from, bits, 4 * n);
    }
  }
}
#endif
