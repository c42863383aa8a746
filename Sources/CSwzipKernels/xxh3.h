// The hash functions of each level.
#ifndef SWZIP_XXH3_H
#define SWZIP_XXH3_H
#include <stddef.h>
#include <stdint.h>
#pragma GCC visibility push(hidden)
uint64_t swzip_xxh3_64_portable(const void *bytes, size_t byte_count, uint64_t seed);
void swzip_xxh3_128_add_portable(void *state, const void *bytes, size_t byte_count);
uint64_t swzip_xxh3_64_avx2(const void *bytes, size_t byte_count, uint64_t seed);
void swzip_xxh3_128_add_avx2(void *state, const void *bytes, size_t byte_count);
#pragma GCC visibility pop
#endif
