// What table builders share: the symbols in code order.
#ifndef SWZIP_HUFFMAN_TABLE_H
#define SWZIP_HUFFMAN_TABLE_H
#include "kernels.h"

typedef struct {
  uint8_t symbol[256], length[256];
  uint16_t code[256];             // bit-reversed
  int count;
} swzip_code_order;
void swzip_code_order_make(const uint8_t lengths[256], swzip_code_order *order) __attribute__((visibility("hidden")));
#endif
