// How calls run: progress, cancellation, threads of the caller's.
#include "abi.h"

typedef struct watcher {
  int calls, answer, falls;
  uint64_t last, most;
} watcher;

static int watch(void *context, uint64_t done) {
  watcher *w = context;
  w->calls++;
  w->falls += done < w->last || done > w->most;
  w->last = done;
  return w->answer;
}

// Its source takes so long that progress is told.
static void test_progress(bytes source, bytes packed) {
  stream to = {.content = room(swz_pack_bound(source.count))};
  watcher watcher = {.most = source.count};
  const swz_call call = {.size = sizeof call, .threads = 1, .progress = watch, .progress_context = &watcher};
  stream from = {.content = source, .delay = 150};
  STATUS(SWZ_OK, swz_pack_callback(stream_read, &from, source.count, stream_write, &to, NULL, &call, &said));
  EXPECT(watcher.calls > 0 && watcher.falls == 0 && equal(packed, (bytes){to.content.start, to.position}));
  watcher.answer = 1, watcher.calls = 0, watcher.last = 0, from.calls = 0, to.position = 0;
  STATUS(SWZ_CANCELLED, swz_pack_callback(stream_read, &from, source.count, stream_write, &to, NULL, &call, &said));
  EXPECT(watcher.calls == 1);
  // At random: the source of a container waits, and what is read grows.
  stream waits = {.content = packed, .delay = 150};
  swz_container *container = NULL;
  STATUS(SWZ_OK, swz_open_callback(stream_read, &waits, packed.count, NULL, &container, &said));
  watcher = (struct watcher){.most = source.count};
  waits.calls = 0;
  STATUS(SWZ_OK, swz_read(container, 0, 0, to.content.start, source.count, &call, &said));
  EXPECT(watcher.calls > 0 && watcher.falls == 0 && memcmp(to.content.start, source.start, source.count) == 0);
  swz_close(container);
  drop(to.content);
}

void test_calls(void) {
  const bytes source = sample(20000, 11), packed = pack(source, NULL), target = room(swz_pack_bound(source.count));
  test_progress(source, packed);
  size_t written = 0;
  void (*const runs[])(void *, size_t, void (*)(void *, size_t), void *) = {run_threads, run_serially};
  for (int i = 0; i < 2; i++) {
    int count = 0;
    const swz_call call = {.size = sizeof call, .threads = 4, .run = runs[i], .run_context = &count};
    STATUS(SWZ_OK, swz_pack(source.start, source.count, target.start, target.count, &written, NULL, &call, &said));
    EXPECT(count > 0 && equal(packed, (bytes){target.start, written}));
    count = 0;
    unpacks(packed, source, NULL, &call);
    EXPECT(count > 0);
    swz_container *container = NULL;
    count = 0;
    STATUS(SWZ_OK, swz_open_memory(packed.start, packed.count, NULL, &container, &said));
    STATUS(SWZ_OK, swz_read(container, 0, 0, target.start, source.count, &call, &said));
    EXPECT(count > 0 && memcmp(target.start, source.start, source.count) == 0);
    swz_close(container);
  }
  drop(source), drop(packed), drop(target);
}

// Every call ends with what `cancel` says from the start, and leaves nothing.
static void test_cancelled(bytes source, bytes packed, bytes target) {
  const int cancel = 1;
  const swz_call call = {.size = sizeof call, .cancel = &cancel};
  const int want = SWZ_CANCELLED, before = entries();
  size_t written = 0;
  stream from = {.content = source}, to = {.content = target};
  swz_container *container = NULL;
  swz_decoder *decoder = NULL;
  swz_snapshot *snapshot = NULL;
  STATUS(want, swz_pack(source.start, source.count, target.start, target.count, &written, NULL, &call, &said));
  EXPECT(said.code == want && said.text[0]);
  STATUS(want, swz_pack_file("source", "out.swz", NULL, &call, &said));
  STATUS(want, swz_pack_callback(stream_read, &from, source.count, stream_write, &to, NULL, &call, &said));
  STATUS(want, swz_unpack(packed.start, packed.count, target.start, target.count, &written, NULL, &call, &said));
  STATUS(want, swz_unpack_file("source.swz", "out", NULL, &call, &said));
  STATUS(want, swz_verify("source.swz", NULL, &call, &said));
  EXPECT(entries() == before);
  STATUS(SWZ_OK, swz_open_memory(packed.start, packed.count, NULL, &container, &said));
  STATUS(want, swz_read(container, 0, 0, target.start, source.count, &call, &said));
  STATUS(want, swz_read_rows(container, 0, 0, 10, target.start, 20 * columns, &call, &said));
  STATUS(SWZ_OK, swz_read(container, 0, 0, target.start, source.count, NULL, &said));
  swz_close(container);
  to.position = 0;
  STATUS(SWZ_OK, swz_decoder_open(stream_write, NULL, &to, NULL, &call, &decoder, &said));
  int status = swz_decoder_push(decoder, packed.start, packed.count, &said);
  if (status == SWZ_OK) status = swz_decoder_finish(decoder, NULL, &said);
  EXPECT(status == want);
  swz_decoder_close(decoder);
  STATUS(SWZ_OK, swz_snapshot_open(source.start, source.count, &snapshot, &said));
  const bytes next = stepped(source);
  STATUS(want, swz_snapshot_encode(snapshot, next.start, next.count, target.start, target.count, &written, NULL, &call,
                                   &said));
  swz_snapshot *sender = NULL;
  STATUS(SWZ_OK, swz_snapshot_open(source.start, source.count, &sender, &said));
  STATUS(SWZ_OK, swz_snapshot_encode(sender, next.start, next.count, target.start, target.count, &written, NULL, NULL,
                                     &said));
  swz_snapshot_close(sender);
  STATUS(want, swz_snapshot_apply(snapshot, target.start, written, &call, &said));
  size_t count = 0;
  const void *kept = swz_snapshot_bytes(snapshot, &count);
  EXPECT(count == source.count && memcmp(kept, source.start, count) == 0);
  swz_snapshot_close(snapshot);
  drop(next);
}

void test_cancelling(void) {
  const bytes source = sample(20000, 12), packed = pack(source, NULL), target = room(swz_pack_bound(source.count));
  save("source", source);
  save("source.swz", packed);
  test_cancelled(source, packed, target);
  // In the middle, by what another thread does.
  int cancel = 0;
  const swz_call call = {.size = sizeof call, .threads = 2, .cancel = &cancel};
  stream from = {.content = source, .raise = &cancel}, to = {.content = target};
  STATUS(SWZ_CANCELLED, swz_pack_callback(stream_read, &from, source.count, stream_write, &to, NULL, &call, &said));
  drop(source), drop(packed), drop(target);
}
