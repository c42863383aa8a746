// Predictions by what every processor has (predict.h), and the floating-point environment that they need.
#include "predict.h"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

void swzip_predict_portable(const swzip_prediction *prediction, const void *const references[4], size_t count, void *out) {
  predict_by(prediction, references, count, out);
}

// A program may flush subnormals or round otherwise: predictions must not. Returns what it had.
static uint64_t default_environment(void) {
#if defined(__x86_64__)
  const unsigned had = _mm_getcsr();
  _mm_setcsr(0x1F80);
  return had;
#elif defined(__aarch64__)
  uint64_t had;
  __asm__ volatile("mrs %0, fpcr\n\tmsr fpcr, xzr" : "=r"(had) : : "memory");
  return had;
#else
#error "the floating-point environment of this processor is not known"
#endif
}
static void restore_environment(uint64_t had) {
#if defined(__x86_64__)
  _mm_setcsr((unsigned)had);
#else
  __asm__ volatile("msr fpcr, %0" : : "r"(had) : "memory");
#endif
}

void swzip_predict(const swzip_prediction *prediction, const void *const references[4], size_t count, void *out) {
  const uint64_t had = default_environment();
  swzip_kernels()->predict(prediction, references, count, out);
  restore_environment(had);
}
