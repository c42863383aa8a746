#include "abi.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

swz_error said = {.size = sizeof(swz_error)};
static atomic_int checks, failures; // Threads check too.

void check(int good, const char *what, const char *file, int line) {
  checks++;
  if (!good) failures++, printf("%s:%d: wrong: %s\n", file, line, what);
}

void check_status(int want, int got, const char *what, const char *file, int line) {
  checks++;
  if (got != want)
    failures++, printf("%s:%d: %d, not %d: %s (%s: %s)\n", file, line, got, want, what, said.rule, said.text);
}

int finish(void) {
  printf("%d checks, %d wrong\n", checks, failures);
  return failures != 0;
}

bytes room(size_t count) {
  unsigned char *start = malloc(count);
  if (!start) abort();
  return (bytes){start, count};
}

void drop(bytes memory) { free(memory.start); }

int equal(bytes a, bytes b) { return a.count == b.count && memcmp(a.start, b.start, a.count) == 0; }

bytes sample(size_t rows, unsigned seed) {
  const size_t weights = rows * columns * 2;
  char header[256];
  int length = snprintf(header, sizeof header,
                        "{\"w\":{\"dtype\":\"BF16\",\"shape\":[%zu,%d],\"data_offsets\":[0,%zu]},"
                        "\"b\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[%zu,%zu]}}",
                        rows, columns, weights, weights, weights + 16);
  while (length % 8) header[length++] = ' ';
  const bytes file = room(8 + (size_t)length + weights + 16);
  memset(file.start, 0, file.count);
  file.start[0] = (unsigned char)length;
  memcpy(file.start + 8, header, (size_t)length);
  unsigned char *at = file.start + 8 + length;
  for (size_t i = 0; i < rows * columns; i++) {
    seed = seed * 1103515245 + 12345;
    *at++ = (unsigned char)(seed >> 16);
    *at++ = (unsigned char)(60 + (seed >> 24) % 3 + (seed >> 30 & 1) * 128);
  }
  return file;
}

size_t payload(bytes source) { return 8u + source.start[0]; }

bytes stepped(bytes source) {
  const bytes next = room(source.count);
  memcpy(next.start, source.start, source.count);
  for (size_t i = payload(source); i + 16 < source.count; i += 512) next.start[i] ^= 1;
  return next;
}

bytes pack(bytes source, const swz_pack_options *options) {
  bytes container = room(swz_pack_bound(source.count));
  size_t written = 0;
  STATUS(SWZ_OK,
         swz_pack(source.start, source.count, container.start, container.count, &written, options, NULL, &said));
  const bytes exact = room(written);
  memcpy(exact.start, container.start, written);
  drop(container);
  return exact;
}

void unpacks(bytes container, bytes original, const swz_open_options *options, const swz_call *call) {
  const bytes back = room(original.count);
  size_t written = 0;
  STATUS(SWZ_OK, swz_unpack(container.start, container.count, back.start, back.count, &written, options, call, &said));
  EXPECT(written == original.count && equal(back, original));
  drop(back);
}

// ---- Files

void enter(const char *folder) {
  if (chdir(folder)) abort();
}

const char *path(const char *name) {
  static char paths[8][4096];
  static int next;
  char *text = paths[next++ % 8], folder[2048];
  if (!getcwd(folder, sizeof folder)) abort();
  snprintf(text, sizeof paths[0], "%s/%s", folder, name);
  return text;
}

void save(const char *name, bytes content) {
  FILE *file = fopen(name, "wb");
  if (!file || fwrite(content.start, 1, content.count, file) != content.count || fclose(file)) abort();
}

bytes load(const char *name) {
  struct stat status;
  FILE *file = stat(name, &status) ? NULL : fopen(name, "rb");
  if (!file) return (bytes){NULL, 0};
  const bytes content = room((size_t)status.st_size);
  if (fread(content.start, 1, content.count, file) != content.count) abort();
  fclose(file);
  return content;
}

int exists(const char *name) { return access(name, F_OK) == 0; }

int entries(void) {
  DIR *folder = opendir(".");
  int count = 0;
  if (!folder) abort();
  while (readdir(folder)) count++;
  closedir(folder);
  return count;
}

// ---- Callbacks

static void stream_called(stream *s) {
  if (++s->calls == 3 && s->raise) *s->raise = 1;
  if (s->delay && s->calls < 8) nanosleep(&(struct timespec){.tv_nsec = s->delay * 1000000L}, NULL);
}

int64_t stream_read(void *context, uint64_t position, void *target, size_t count) {
  stream *s = context;
  stream_called(s);
  if (s->fail_at && position + count > s->fail_at) return -1;
  if (position >= s->content.count) return 0;
  const size_t left = s->content.count - (size_t)position, taken = left < count ? left : count;
  memcpy(target, s->content.start + position, taken);
  return (int64_t)taken;
}

int stream_write(void *context, const void *bytes, size_t byte_count) {
  stream *s = context;
  stream_called(s);
  if (s->fail_at && s->position + byte_count > s->fail_at) return 1;
  if (byte_count > s->content.count - s->position) return 1;
  memcpy(s->content.start + s->position, bytes, byte_count);
  s->position += byte_count;
  return 0;
}

// ---- Threads

typedef struct job {
  void (*work)(void *, size_t);
  void *argument;
  size_t number, count;
} job;

static void *work_on(void *context) {
  const job *j = context;
  for (size_t number = j->number; number < j->count; number += 4) j->work(j->argument, number);
  return NULL;
}

void run_threads(void *context, size_t count, void (*work)(void *, size_t), void *argument) {
  ++*(int *)context;
  pthread_t threads[4];
  job jobs[4];
  for (size_t i = 0; i < 4; i++) {
    jobs[i] = (job){work, argument, i, count};
    if (pthread_create(&threads[i], NULL, work_on, &jobs[i])) abort();
  }
  for (size_t i = 0; i < 4; i++) pthread_join(threads[i], NULL);
}

void run_serially(void *context, size_t count, void (*work)(void *, size_t), void *argument) {
  ++*(int *)context;
  for (size_t number = 0; number < count; number++) work(argument, number);
}
