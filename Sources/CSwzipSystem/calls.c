// Thin shims over calls that Swift's libc module lacks or that differ between systems. No policy here.
#if defined(__linux__)
#define _GNU_SOURCE
#endif
#include "include/swzip_system.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif
#if defined(__linux__)
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#endif

#if defined(O_PATH)
const int swzip_open_path_only = O_PATH;
#else
const int swzip_open_path_only = 0;
#endif

int swzip_rename_no_replace(int from_directory, const char *from, int to_directory, const char *to) {
#if defined(__APPLE__)
  return renameatx_np(from_directory, from, to_directory, to, RENAME_EXCL);
#elif defined(__GLIBC__)
  return renameat2(from_directory, from, to_directory, to, RENAME_NOREPLACE);
#elif defined(SYS_renameat2)
  return (int)syscall(SYS_renameat2, from_directory, from, to_directory, to, 1U /* RENAME_NOREPLACE */);
#else
  (void)from_directory, (void)from, (void)to_directory, (void)to;
  errno = ENOSYS;
  return -1;
#endif
}

void swzip_return_large_memory(void) {
#if defined(__GLIBC__)
  (void)mallopt(M_MMAP_THRESHOLD, 1 << 20);
#endif
}

int swzip_affinity_count(void) {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
  return 0;
}

int swzip_is_set(const volatile int *flag) { return __atomic_load_n(flag, __ATOMIC_RELAXED) != 0; }

int swzip_is_touched(const void *address) {
  const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
#ifdef __linux__
  unsigned char resident = 1;
#else
  char resident = 1;
#endif
  return mincore((void *)((uintptr_t)address & ~(page - 1)), 1, &resident) != 0 || (resident & 1);
}

void swzip_touch(void *address, size_t byte_count) {
#ifdef __linux__
  enum { populate_write = 23 }; // MADV_POPULATE_WRITE, which older headers lack
  const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), start = (uintptr_t)address & ~(page - 1);
  const int before = errno;
  if (byte_count > 0) (void)madvise((void *)start, (uintptr_t)address + byte_count - start, populate_write);
  errno = before;
#else
  (void)address, (void)byte_count;
#endif
}

int swzip_terminal_columns(int descriptor) {
  struct winsize size;
  return ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

int swzip_reserve(int descriptor, int64_t byte_count) {
#if defined(__linux__)
  return fallocate(descriptor, FALLOC_FL_KEEP_SIZE, 0, (off_t)byte_count);
#else
  (void)descriptor, (void)byte_count;
  errno = ENOTSUP;
  return -1;
#endif
}

int swzip_punch(int descriptor, int64_t position, int64_t byte_count) {
#if defined(__linux__)
  return fallocate(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)position, (off_t)byte_count);
#else
  (void)descriptor, (void)position, (void)byte_count;
  errno = ENOTSUP;
  return -1;
#endif
}

void swzip_start_write_back(int descriptor, int64_t position, int64_t byte_count) {
#if defined(__linux__)
  (void)sync_file_range(descriptor, position, byte_count, SYNC_FILE_RANGE_WRITE);
#else
  (void)descriptor, (void)position, (void)byte_count;
#endif
}

#if defined(__linux__)
// There "try again" only says that the server has not lent us the file.
static int is_on_network(int descriptor) {
  static const unsigned long kinds[] = {0x6969 /* NFS */, 0xFF534D42 /* CIFS */, 0xFE534D42 /* SMB 2 */};
  struct statfs system;
  if (fstatfs(descriptor, &system) != 0) return 1;
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    if (((unsigned long)system.f_type & 0xFFFFFFFF) == kinds[i]) return 1;
  }
  return 0;
}
#endif

int swzip_hold(int descriptor) {
#if defined(__linux__)
  // The signal for one who waits: the usual one would end the process, this one is ignored.
  if (fcntl(descriptor, F_SETSIG, SIGURG) != 0) return -1;
  if (fcntl(descriptor, F_SETLEASE, F_RDLCK) == 0) return 1;
  return errno == EAGAIN && !is_on_network(descriptor) ? 0 : -1;
#else
  (void)descriptor;
  return -1;
#endif
}

int swzip_is_held(int descriptor) {
#if defined(__linux__)
  return fcntl(descriptor, F_GETLEASE) == F_RDLCK;
#else
  (void)descriptor;
  return 0;
#endif
}

void swzip_release(int descriptor) {
#if defined(__linux__)
  (void)fcntl(descriptor, F_SETLEASE, F_UNLCK);
#else
  (void)descriptor;
#endif
}

void swzip_forget_pages(int descriptor) {
#if defined(__linux__)
  (void)posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED);
#else
  (void)descriptor;
#endif
}

static struct swzip_time time_of(struct timespec time) {
  return (struct swzip_time){(int64_t)time.tv_sec, (uint32_t)time.tv_nsec};
}

static int copy_status(int result, const struct stat *from, struct swzip_status *to) {
  if (result != 0) return -1;
  to->device = (uint64_t)from->st_dev;
  to->inode = (uint64_t)from->st_ino;
  to->byte_count = (uint64_t)from->st_size;
  to->link_count = (uint64_t)from->st_nlink;
#if defined(__APPLE__)
  to->accessed = time_of(from->st_atimespec);
  to->modified = time_of(from->st_mtimespec);
  to->changed = time_of(from->st_ctimespec);
#else
  to->accessed = time_of(from->st_atim);
  to->modified = time_of(from->st_mtim);
  to->changed = time_of(from->st_ctim);
#endif
  to->mode = (uint32_t)from->st_mode;
  to->user = (uint32_t)from->st_uid;
  to->group = (uint32_t)from->st_gid;
  return 0;
}

int swzip_status_of_descriptor(int descriptor, struct swzip_status *status) {
  struct stat raw;
  return copy_status(fstat(descriptor, &raw), &raw, status);
}

int swzip_status_of_path(int directory, const char *path, int follow_links, struct swzip_status *status) {
  struct stat raw;
  return copy_status(fstatat(directory, path, &raw, follow_links ? 0 : AT_SYMLINK_NOFOLLOW), &raw, status);
}

void swzip_error_words(int number, char *text, size_t capacity) {
  if (capacity == 0) return;
  text[0] = 0;
#if defined(__GLIBC__)
  // The GNU kind returns the text, which may or may not be in the buffer given.
  char buffer[128];
  const char *words = strerror_r(number, buffer, sizeof buffer);
  size_t length = strnlen(words, capacity - 1);
  memcpy(text, words, length);
  text[length] = 0;
#else
  (void)strerror_r(number, text, capacity);
#endif
}
