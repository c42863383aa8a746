// The C interface under valgrind: packs, unpacks, and meets damage and short buffers.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "swzip.h"

static int failures;
static void expect(int good, const char *what) {
  if (!good) failures++, printf("WRONG: %s\n", what);
}

int main(void) {
  // Exactly as long as they are said to be: valgrind sees a byte too many.
  const size_t count = 200001;
  unsigned char *const source = malloc(count), *const back = malloc(count);
  unsigned state = 1;
  for (size_t i = 0; i < count; i++) {
    state = state * 1103515245 + 12345;
    source[i] = i % 2 ? (unsigned char)(60 + (state >> 16) % 4) : (unsigned char)(state >> 16);
  }
  const char header[] = "H\0\0\0\0\0\0\0{\"w\":{\"dtype\":\"BF16\",\"shape\":[99960],\"data_offsets\":[0,199920]}}      ";
  memcpy(source, header, sizeof header - 1);
  const size_t bound = swz_pack_bound(count);
  for (int level = 1; level <= 3; level++) {
    unsigned char *packed = malloc(bound);
    size_t written = 0, size = 0;
    expect(swz_pack(source, count, packed, bound, &written, level, 1 + level % 2) == SWZ_OK, "packing");
    packed = realloc(packed, written);
    for (int policy = 0; policy < 2; policy++) {
      memset(back, 0, count);
      expect(swz_unpack(packed, written, back, count, &size, policy, 1 + policy) == SWZ_OK, "unpacking");
      expect(size == count && memcmp(source, back, count) == 0, "the bytes");
    }
    expect(swz_unpack(packed, written, back, count - 1, &size, 0, 1) == SWZ_INVALID_ARGUMENT, "a short target");
    expect(swz_unpack(packed, written / 2, back, count, &size, 0, 1) == SWZ_DAMAGED, "half a container");
    packed[written / 2] ^= 1;
    expect(swz_unpack(packed, written, back, count, &size, 0, 1) == SWZ_DAMAGED, "damage");
    expect(swz_unpack(packed, written, back, count, &size, 1, 2) == SWZ_DAMAGED, "damage, as a loader");
    expect(swz_pack(source, count, packed, 100, &size, level, 1) == SWZ_INVALID_ARGUMENT, "packing to a short target");
    free(packed);
  }
  expect(swz_pack(source, count, back, count, &(size_t){0}, 10, 1) == SWZ_INVALID_ARGUMENT, "level 10");
  expect(strlen(swz_status_text(SWZ_DAMAGED)) > 0, "the text");
  free(source);
  free(back);
  puts(failures ? "failed" : "right");
  return failures != 0;
}
