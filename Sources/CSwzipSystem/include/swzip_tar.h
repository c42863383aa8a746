/* Tar files, plain or packed by zstd or gzip, by libarchive, which is loaded when it is first wanted: nothing is linked, and no
 * header of it is needed. */
#ifndef SWZIP_TAR_H
#define SWZIP_TAR_H

#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

/* Of one thread at a time. */
typedef struct swzip_tar swzip_tar;

enum { SWZIP_TAR_DAMAGED = -1, SWZIP_TAR_END, SWZIP_TAR_FILE, SWZIP_TAR_FOLDER, SWZIP_TAR_LINK, SWZIP_TAR_OTHER };

/* What a tar file says of an entry; texts live until the next one. */
struct swzip_tar_entry {
  const char *name;   /* NULL: it cannot be told */
  const char *target; /* of a symbolic link, else NULL */
  int64_t byte_count, seconds;
  uint32_t nanoseconds, permissions;
};

/* Whether libarchive is there, 3.3.3 (2018) or later. */
int swzip_tar_is_there(void);

/* Reads what an open file has from where it stands. NULL: libarchive is not there, or memory is not. */
swzip_tar *swzip_tar_open(int descriptor);
/* The kind of the next entry. */
int swzip_tar_next(swzip_tar *tar, struct swzip_tar_entry *entry);
/* Bytes of the entry, 0 at its end, -1 where the file is damaged. */
ptrdiff_t swzip_tar_read(swzip_tar *tar, void *bytes, size_t count);
/* What is wrong, in libarchive's words, as long as the tar is open. */
const char *swzip_tar_words(const swzip_tar *tar);
void swzip_tar_close(swzip_tar *tar);

#pragma GCC visibility pop

#endif
