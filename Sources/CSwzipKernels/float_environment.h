// The floating-point environment that kernels need whose results decide bits.
#ifndef SWZIP_FLOAT_ENVIRONMENT_H
#define SWZIP_FLOAT_ENVIRONMENT_H
#include "kernels.h"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

// A program may flush subnormals or round otherwise: what decides bits must not. Returns what it had.
INLINE uint64_t default_environment(void) {
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
INLINE void restore_environment(uint64_t had) {
#if defined(__x86_64__)
  _mm_setcsr((unsigned)had);
#else
  __asm__ volatile("msr fpcr, %0" : : "r"(had) : "memory");
#endif
}
#endif
