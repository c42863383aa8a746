// Weights that change step by step: a trainer encodes, a receiver applies.
#include "abi.h"

static int holds(swz_snapshot *snapshot, bytes wanted) {
  size_t count = 0;
  const void *kept = swz_snapshot_bytes(snapshot, &count);
  return count == wanted.count && memcmp(kept, wanted.start, count) == 0;
}

void test_snapshots(void) {
  bytes now = sample(500, 13);
  const bytes first = now, packed = room(swz_pack_bound(now.count));
  swz_snapshot *trainer = NULL, *receiver = NULL;
  STATUS(SWZ_OK, swz_snapshot_open(now.start, now.count, &trainer, &said));
  STATUS(SWZ_OK, swz_snapshot_open(now.start, now.count, &receiver, &said));
  size_t written = 0;
  for (int step = 0; step < 4; step++) {
    const bytes next = stepped(now);
    next.start[payload(next) + 100 + (size_t)step] ^= 0x41;
    // A target that is too short changes nothing.
    STATUS(SWZ_INVALID_ARGUMENT,
           swz_snapshot_encode(trainer, next.start, next.count, packed.start, 10, &written, NULL, NULL, &said));
    EXPECT(holds(trainer, now));
    STATUS(SWZ_OK, swz_snapshot_encode(trainer, next.start, next.count, packed.start, packed.count, &written, NULL,
                                       NULL, &said));
    EXPECT(holds(trainer, next) && written < next.count / 4);
    // Nor does damage.
    packed.start[written / 2] ^= 1;
    EXPECT(swz_snapshot_apply(receiver, packed.start, written, NULL, &said) != SWZ_OK && holds(receiver, now));
    packed.start[written / 2] ^= 1;
    EXPECT(swz_snapshot_apply(receiver, packed.start, written - 1, NULL, &said) != SWZ_OK && holds(receiver, now));
    STATUS(SWZ_OK, swz_snapshot_apply(receiver, packed.start, written, NULL, &said));
    EXPECT(holds(receiver, next));
    // The step after the last is another one's.
    STATUS(SWZ_BASE, swz_snapshot_apply(receiver, packed.start, written, NULL, &said));
    EXPECT(holds(receiver, next));
    if (step) drop(now);
    now = next;
  }
  // A file of any kind, and of another length.
  const bytes text = {(unsigned char *)"any bytes", 9};
  STATUS(SWZ_OK,
         swz_snapshot_encode(trainer, text.start, text.count, packed.start, packed.count, &written, NULL, NULL, &said));
  STATUS(SWZ_OK, swz_snapshot_apply(receiver, packed.start, written, NULL, &said));
  EXPECT(holds(trainer, text) && holds(receiver, text));
  swz_snapshot_close(trainer);
  swz_snapshot_close(receiver);
  drop(first), drop(now), drop(packed);
}
