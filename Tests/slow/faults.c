// Preloaded into the command: makes one call of the system fail.
//
// FAULT_LOG=FILE       writes the name of every counted call, and "!" after the one that failed
// FAULT_AT=N           the Nth counted call (across threads) is the one
// FAULT_ERRNO=NUMBER   it fails so;  FAULT_KILL=1  the process is killed instead of making it;  FAULT_STOP=1  it is stopped
//                      first, until somebody lets it go on
// FAULT_FROM=1         the calls after it fail alike, except those that read, close and remove
// FAULT_SHORT=1        every read and write moves at most half of what was asked
// FAULT_NO_LINK=1      hard links are refused, as on FAT; linkat is not counted then
// FAULT_LATER=SECONDS  the clock is ahead
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static atomic_long count;
static long at, later;
static int error, log_file = -1;
static bool kills, stops, goes_on, shortens, refuses_links;

static long number(const char *name) {
  const char *text = getenv(name);
  return text ? atol(text) : 0;
}

__attribute__((constructor)) static void begin(void) {
  at = number("FAULT_AT");
  error = (int)number("FAULT_ERRNO");
  kills = number("FAULT_KILL");
  stops = number("FAULT_STOP");
  later = number("FAULT_LATER");
  goes_on = number("FAULT_FROM");
  shortens = number("FAULT_SHORT");
  refuses_links = number("FAULT_NO_LINK");
  const char *path = getenv("FAULT_LOG");
  if (path) log_file = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

// Whether this call is to fail; `changes`: it writes or makes a name.
static bool fails(const char *name, bool changes) {
  const long now = atomic_fetch_add(&count, 1) + 1;
  const bool hit = at && (now == at || (goes_on && changes && now > at));
  if (log_file >= 0) {
    char line[64];
    const size_t length = strlen(name);
    memcpy(line, name, length);
    memcpy(line + length, hit ? "!\n" : "\n", 2);
    (void)syscall(SYS_write, log_file, line, length + (hit ? 2 : 1));
  }
  if (hit && kills) (void)syscall(SYS_kill, getpid(), SIGKILL);
  if (hit && stops) (void)syscall(SYS_kill, getpid(), SIGSTOP);
  if (hit) errno = error;
  return hit && !stops;
}

static size_t shorter(size_t size) { return shortens && size > 1 ? size / 2 : size; }

ssize_t write(int file, const void *bytes, size_t size) {
  if (file != 2 && fails("write", true)) return -1; // What it has to say must come through.
  return syscall(SYS_write, file, bytes, shorter(size));
}
ssize_t pwrite(int file, const void *bytes, size_t size, off_t place) {
  return fails("pwrite", true) ? -1 : syscall(SYS_pwrite64, file, bytes, shorter(size), place);
}
ssize_t read(int file, void *bytes, size_t size) {
  return fails("read", false) ? -1 : syscall(SYS_read, file, bytes, shorter(size));
}
ssize_t pread(int file, void *bytes, size_t size, off_t place) {
  return fails("pread", false) ? -1 : syscall(SYS_pread64, file, bytes, shorter(size), place);
}
int fsync(int file) { return fails("fsync", true) ? -1 : (int)syscall(SYS_fsync, file); }
int fdatasync(int file) { return fails("fdatasync", true) ? -1 : (int)syscall(SYS_fdatasync, file); }
int ftruncate(int file, off_t size) { return fails("ftruncate", true) ? -1 : (int)syscall(SYS_ftruncate, file, size); }
int fallocate(int file, int mode, off_t from, off_t size) {
  return fails("fallocate", true) ? -1 : (int)syscall(SYS_fallocate, file, mode, from, size);
}
int renameat(int a, const char *from, int b, const char *to) {
  return fails("renameat", true) ? -1 : (int)syscall(SYS_renameat, a, from, b, to);
}
int renameat2(int a, const char *from, int b, const char *to, unsigned flags) {
  return fails("renameat2", true) ? -1 : (int)syscall(SYS_renameat2, a, from, b, to, flags);
}
int linkat(int a, const char *from, int b, const char *to, int flags) {
  if (refuses_links) return errno = EPERM, -1;
  return fails("linkat", true) ? -1 : (int)syscall(SYS_linkat, a, from, b, to, flags);
}
int mkdirat(int folder, const char *path, mode_t mode) {
  return fails("mkdirat", true) ? -1 : (int)syscall(SYS_mkdirat, folder, path, mode);
}
int unlinkat(int folder, const char *path, int flags) {
  return fails("unlinkat", false) ? -1 : (int)syscall(SYS_unlinkat, folder, path, flags);
}
int clock_gettime(clockid_t clock, struct timespec *time) {
  const int result = (int)syscall(SYS_clock_gettime, clock, time);
  if (clock == CLOCK_REALTIME) time->tv_sec += later;
  return result;
}
// As on Linux, the descriptor is gone whatever close returns.
int close(int file) {
  const bool failing = fails("close", false);
  const int code = errno, result = (int)syscall(SYS_close, file);
  if (failing) errno = code;
  return failing ? -1 : result;
}
int openat(int folder, const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const unsigned mode = flags & O_CREAT ? va_arg(rest, unsigned) : 0;
  va_end(rest);
  return fails("openat", false) ? -1 : (int)syscall(SYS_openat, folder, path, flags, mode);
}

// Other names of the same calls.
ssize_t pwrite64(int, const void *, size_t, off_t) __attribute__((alias("pwrite")));
ssize_t pread64(int, void *, size_t, off_t) __attribute__((alias("pread")));
int ftruncate64(int, off_t) __attribute__((alias("ftruncate")));
int fallocate64(int, int, off_t, off_t) __attribute__((alias("fallocate")));
int openat64(int, const char *, int, ...) __attribute__((alias("openat")));
