// AVX2: predictions (predict.h), eight values a vector.
#if defined(__x86_64__)
#include "vector_avx2.h"
#include "predict.h"

void swzip_predict_avx2(const swzip_prediction *prediction, const void *const references[4], size_t count, void *out) {
  predict_by(prediction, references, count, out);
}
#pragma clang attribute pop
#endif
