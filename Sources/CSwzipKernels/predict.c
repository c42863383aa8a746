// Predictions by what every processor has (predict.h).
#include "predict.h"

void swzip_predict_portable(const swzip_prediction *prediction, const void *const references[4], size_t count, void *out) {
  predict_by(prediction, references, count, out);
}
