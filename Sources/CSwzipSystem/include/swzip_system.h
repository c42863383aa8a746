// What Swift's libc module lacks, and the one thing that must not be Swift: a signal handler.
#ifndef SWZIP_SYSTEM_H
#define SWZIP_SYSTEM_H

#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

/* Renames `from` to `to`, each relative to its directory, unless `to` exists (EEXIST).
 * Returns 0, or -1 with errno; ENOSYS or EINVAL where system or file system cannot do it. */
int swzip_rename_no_replace(int from_directory, const char *from, int to_directory, const char *to);

/* Open flags that Swift's libc module does not know everywhere; 0 where the system has no such thing. */
extern const int swzip_open_path_only;

/* The processors this thread may run on by its affinity mask, 0 if unknown. */
int swzip_affinity_count(void);

/* Whether a flag that another thread may set is not zero. */
int swzip_is_set(const volatile int *flag);

/* Whether the page of an address is in memory: nobody has touched it yet, if it is not. 1 where the system does not say. */
int swzip_is_touched(const void *address);
/* Has the system give all pages of writable memory that it has not given yet, whose content stays: at once costs two thirds of what
 * it costs page by page. Where there is no such call (Linux 5.14) nothing happens. */
void swzip_touch(void *address, size_t byte_count);

/* The columns of a terminal, 0 if unknown. */
int swzip_terminal_columns(int descriptor);

/* Reserves disk space for `byte_count` bytes without changing the file's length.
 * Returns 0, or -1 with errno; ENOTSUP where there is no such call. */
int swzip_reserve(int descriptor, int64_t byte_count);

/* Frees the disk space of a range, which then reads as zeros. Returns 0, or -1 with errno. */
int swzip_punch(int descriptor, int64_t position, int64_t byte_count);

/// Asks for pages of a file to be written to the disk, and does not wait. Only a hint.
void swzip_start_write_back(int descriptor, int64_t position, int64_t byte_count);

/* Keeps others from opening a file for writing until `swzip_release` or its close: they wait, at most as long as the
 * system lets them (a read lease). Returns 1, or 0 if somebody has it open or mapped for writing, or -1 where the system
 * cannot tell: other systems, file systems of a network, files of other users. */
int swzip_hold(int descriptor);
/* Whether a hold stands, and nobody waits for its end. */
int swzip_is_held(int descriptor);
void swzip_release(int descriptor);

/* A hint that the pages of an open file are not needed in memory any more. */
void swzip_forget_pages(int descriptor);

/* A time: seconds since 1970, and nanoseconds forward from those. */
struct swzip_time {
  int64_t seconds;
  uint32_t nanoseconds;
};

/* What stat says: the names of its times differ between systems. */
struct swzip_status {
  uint64_t device, inode, byte_count, link_count;
  struct swzip_time accessed, modified, changed;
  uint32_t mode, user, group;
};
int swzip_status_of_descriptor(int descriptor, struct swzip_status *status);
int swzip_status_of_path(int directory, const char *path, int follow_links, struct swzip_status *status);

/* The system's words for an error number, terminated. */
void swzip_error_words(int number, char *text, size_t capacity);

/* Live temporary files. The table is fixed, so that a signal handler may walk it.
 * Returns the slot, or -1 if the path is too long or the table is full. */
int swzip_live_add(const char *path);
void swzip_live_remove(int slot);
/* Unlinks every live file; safe in a signal handler. */
void swzip_live_unlink_all(void);

/* Memory of a MiB and more goes back to the system when it is freed. By itself glibc raises that size to what was freed
 * last, and buffers of 8 MiB then lie scattered in a heap that only grows. */
void swzip_return_large_memory(void);

/* A live temporary folder: each path made in it is noted before it is made, parents first, by one thread.
 * Returns 0, or -1 if memory could not be had. At most one folder is live at a time. */
int swzip_live_tree_add(const char *path);
/* Removes all that was noted, the last first; safe in a signal handler. */
void swzip_live_tree_unlink(void);
/* Forgets all that was noted: it has been published or removed. */
void swzip_live_tree_forget(void);

/* SIGINT, SIGTERM, SIGHUP, SIGXCPU: unlink the live files, then die by the same signal, so that a shell sees 128 + n.
 * SIGPIPE and SIGXFSZ: ignored, the call returns EPIPE or EFBIG. Signals ignored at the start stay ignored. */
void swzip_signals_install(void);

#pragma GCC visibility pop

#endif
