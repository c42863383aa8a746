// Predictions by what every processor has (predict.h), in the default floating-point environment.
#include "predict.h"

#include "float_environment.h"

void swzip_predict_portable(const swzip_prediction *prediction, const void *const references[4], size_t count, void *out) {
  predict_by(prediction, references, count, out);
}

void swzip_predict(const swzip_prediction *prediction, const void *const references[4], size_t count, void *out) {
  const uint64_t had = default_environment();
  swzip_kernels()->predict(prediction, references, count, out);
  restore_environment(had);
}
