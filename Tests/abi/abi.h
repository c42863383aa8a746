// What the tests of the C interface share: samples, files, threads, and checks that are counted.
#ifndef ABI_H
#define ABI_H
#define _GNU_SOURCE
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "swzip.h"

#define EXPECT(good) check((good) != 0, #good, __FILE__, __LINE__)
// A call of the interface and the status that it must return; failures leave what they say in `said`.
#define STATUS(want, call) check_status(want, call, #call, __FILE__, __LINE__)
void check(int good, const char *what, const char *file, int line);
void check_status(int want, int got, const char *what, const char *file, int line);
extern swz_error said;
int finish(void);

// Memory that is exactly as long as it is said to be: valgrind sees a byte too many.
typedef struct bytes {
  unsigned char *start;
  size_t count;
} bytes;
bytes room(size_t count);
void drop(bytes memory);
int equal(bytes a, bytes b);

enum { columns = 100 };
// A safetensors file with a BF16 tensor "w" of so many rows of `columns`, and "b", four F32.
bytes sample(size_t rows, unsigned seed);
// The same after a step of training: a few values differ.
bytes stepped(bytes source);
size_t payload(bytes source);
bytes pack(bytes source, const swz_pack_options *options);
void unpacks(bytes container, bytes original, const swz_open_options *options, const swz_call *call);

// Files in the folder of the test; `path` gives one of a few names that live on.
void enter(const char *folder);
const char *path(const char *name);
void save(const char *name, bytes content);
bytes load(const char *name);
int exists(const char *name);
// Entries of the folder of the test: what an ended call must not have added to.
int entries(void);

// A source and a sink as callbacks. `delay`: milliseconds that each of the first few reads takes.
typedef struct stream {
  bytes content;
  size_t position, fail_at;
  int delay;
  atomic_int calls; // Threads call at once.
  int *raise;       // Set by the third call of either.
} stream;
int64_t stream_read(void *context, uint64_t position, void *target, size_t count);
int stream_write(void *context, const void *bytes, size_t byte_count);

// A caller's own threads, and one that has none.
void run_threads(void *context, size_t count, void (*work)(void *, size_t), void *argument);
void run_serially(void *context, size_t count, void (*work)(void *, size_t), void *argument);

void test_packing(void);
void test_bases(void);
void test_reading(void);
void test_folders(const char *container);
void test_unpacking(void);
void test_decoder(void);
void test_read_back(void);
void test_files(void);
void test_errors(void);
void test_arguments(void);
void test_damage(void);
void test_calls(void);
void test_cancelling(void);
void test_snapshots(void);
void test_archives(void);
void test_threads(void);
void test_fork(void);
#endif
