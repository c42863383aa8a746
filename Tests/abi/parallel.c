// One container read by several threads at once, and in forked children.
#include "abi.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct reader {
  swz_container *container;
  bytes source, packed;
  unsigned seed;
  const atomic_int *stop;
} reader;

static int read_some(reader *r) {
  r->seed = r->seed * 1103515245 + 12345;
  const size_t offset = r->seed % r->source.count, most = r->source.count - offset, count = most < 50000 ? most : 50000;
  const bytes part = room(count);
  const swz_call call = {.size = sizeof call, .threads = 1 + (int)(r->seed >> 16) % 3};
  const int good = swz_read(r->container, 0, offset, part.start, count, &call, NULL) == SWZ_OK &&
                   memcmp(part.start, r->source.start + offset, count) == 0;
  drop(part);
  return good;
}

static void *read_many(void *context) {
  reader *r = context;
  for (int i = 0; i < 200; i++) EXPECT(read_some(r));
  swz_error error = {.size = sizeof error};
  const bytes back = room(r->source.count);
  size_t written = 0;
  for (int i = 0; i < 5; i++) {
    EXPECT(swz_unpack(r->packed.start, r->packed.count, back.start, back.count, &written, NULL, NULL, &error) ==
           SWZ_OK);
    EXPECT(equal(back, r->source));
    EXPECT(swz_unpack(r->packed.start, r->packed.count - 1, back.start, back.count, &written, NULL, NULL, &error) ==
           SWZ_DAMAGED);
  }
  drop(back);
  return NULL;
}

static void *read_until(void *context) {
  reader *r = context;
  while (!*r->stop) EXPECT(read_some(r));
  return NULL;
}

void test_threads(void) {
  const bytes source = sample(5000, 14), packed = pack(source, NULL);
  save("shared.swz", packed);
  stream from = {.content = packed};
  swz_container *containers[3] = {0};
  STATUS(SWZ_OK, swz_open("shared.swz", NULL, &containers[0], &said));
  STATUS(SWZ_OK, swz_open_memory(packed.start, packed.count, NULL, &containers[1], &said));
  STATUS(SWZ_OK, swz_open_callback(stream_read, &from, packed.count, NULL, &containers[2], &said));
  pthread_t threads[9];
  reader readers[9];
  for (unsigned i = 0; i < 9; i++) {
    readers[i] = (reader){containers[i % 3], source, packed, i, NULL};
    if (pthread_create(&threads[i], NULL, read_many, &readers[i])) abort();
  }
  for (int i = 0; i < 9; i++) pthread_join(threads[i], NULL);
  for (int i = 0; i < 3; i++) swz_close(containers[i]);
  drop(source), drop(packed);
}

// In a child: what was open, and all that begins anew. A lock that was held when the child was made would hold for
// ever.
static int child(reader *r) {
  alarm(60);
  const bytes target = room(swz_pack_bound(r->source.count));
  const swz_call call = {.size = sizeof call, .threads = 4};
  size_t written = 0;
  int good = 1;
  for (int i = 0; i < 5; i++) good &= read_some(r);
  good &= swz_pack(r->source.start, r->source.count, target.start, target.count, &written, NULL, &call, NULL) == SWZ_OK;
  good &= equal(r->packed, (bytes){target.start, written});
  good &=
      swz_unpack(r->packed.start, r->packed.count, target.start, target.count, &written, NULL, &call, NULL) == SWZ_OK;
  return good && equal(r->source, (bytes){target.start, written});
}

void test_fork(void) {
  const bytes source = sample(5000, 15), packed = pack(source, NULL);
  save("forked.swz", packed);
  swz_container *container = NULL;
  STATUS(SWZ_OK, swz_open("forked.swz", NULL, &container, &said));
  atomic_int stop = 0;
  reader mine = {container, source, packed, 1, NULL}, busy = {container, source, packed, 2, &stop};
  pthread_t thread;
  for (int i = 0; i < 40; i++) {
    if (i == 20 && pthread_create(&thread, NULL, read_until, &busy)) abort(); // From here on others are at work.
    const pid_t pid = fork();
    if (pid < 0) abort();
    if (pid == 0) _exit(child(&mine) ? 0 : 1);
    int status = -1;
    EXPECT(read_some(&mine));
    EXPECT(waitpid(pid, &status, 0) == pid && status == 0);
  }
  // Another file has the name: a child that was made then reads the one that was opened.
  const bytes other = sample(5000, 16), others = pack(other, NULL);
  EXPECT(remove("forked.swz") == 0);
  save("forked.swz", others);
  const pid_t pid = fork();
  if (pid < 0) abort();
  if (pid == 0) _exit(child(&mine) ? 0 : 1);
  int status = -1;
  EXPECT(waitpid(pid, &status, 0) == pid && status == 0);
  stop = 1;
  pthread_join(thread, NULL);
  swz_close(container);
  drop(source), drop(packed), drop(other), drop(others);
}
