// The few calls of libarchive that are needed, with the numbers of archive.h and archive_entry.h: they never change.
#if defined(__linux__)
#define _GNU_SOURCE
#endif
#include "include/swzip_tar.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

struct archive;
struct archive_entry;

enum { RESULT_END = 1, RESULT_OK = 0, RESULT_WARNING = -20, BLOCK = 1 << 18 };

static struct {
  struct archive *(*read_new)(void);
  int (*read_support_format_tar)(struct archive *);
  int (*read_support_filter_gzip)(struct archive *);
  int (*read_support_filter_zstd)(struct archive *); // 3.3.3
  int (*read_set_format_option)(struct archive *, const char *format, const char *option, const char *value);
  int (*read_open_fd)(struct archive *, int descriptor, size_t block);
  int (*read_next_header)(struct archive *, struct archive_entry **);
  ssize_t (*read_data)(struct archive *, void *, size_t);
  const char *(*error_string)(struct archive *);
  int (*read_free)(struct archive *);
  const char *(*entry_pathname)(struct archive_entry *);
  const char *(*entry_pathname_utf8)(struct archive_entry *);
  const char *(*entry_symlink)(struct archive_entry *);
  const char *(*entry_symlink_utf8)(struct archive_entry *);
  const char *(*entry_hardlink)(struct archive_entry *);
  const char *(*entry_hardlink_utf8)(struct archive_entry *);
  mode_t (*entry_filetype)(struct archive_entry *);
  mode_t (*entry_perm)(struct archive_entry *);
  int64_t (*entry_size)(struct archive_entry *);
  time_t (*entry_mtime)(struct archive_entry *);
  long (*entry_mtime_nsec)(struct archive_entry *);
} archive;
static int is_there;

static int find(void *library, const char *name, void *function) {
  // A pointer to data for one to a function: POSIX has it so.
  *(void **)function = dlsym(library, name);
  return *(void **)function != NULL;
}

static void load(void) {
#if defined(__APPLE__)
  void *const library = dlopen("libarchive.2.dylib", RTLD_NOW);
#else
  void *const library = dlopen("libarchive.so.13", RTLD_NOW);
#endif
  if (library == NULL) return;
#define FIND(name) find(library, "archive_" #name, &archive.name)
  is_there = FIND(read_new) && FIND(read_support_format_tar) && FIND(read_support_filter_gzip) &&
             FIND(read_support_filter_zstd) && FIND(read_set_format_option) && FIND(read_open_fd) &&
             FIND(read_next_header) && FIND(read_data) && FIND(error_string) && FIND(read_free) &&
             FIND(entry_pathname) && FIND(entry_pathname_utf8) && FIND(entry_symlink) && FIND(entry_symlink_utf8) &&
             FIND(entry_hardlink) && FIND(entry_hardlink_utf8) && FIND(entry_filetype) && FIND(entry_perm) &&
             FIND(entry_size) && FIND(entry_mtime) && FIND(entry_mtime_nsec);
#undef FIND
}

int swzip_tar_is_there(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  (void)pthread_once(&once, load);
  return is_there;
}

struct swzip_tar {
  struct archive *archive;
  int is_open;
};

swzip_tar *swzip_tar_open(int descriptor) {
  if (!swzip_tar_is_there()) return NULL;
  swzip_tar *const tar = calloc(1, sizeof *tar);
  if (tar == NULL) return NULL;
  tar->archive = archive.read_new();
  if (tar->archive == NULL) {
    free(tar);
    return NULL;
  }
  // The filters answer with a warning where they need a program. What follows the end of a tar file is another one, or damage.
  (void)archive.read_support_filter_gzip(tar->archive);
  (void)archive.read_support_filter_zstd(tar->archive);
  tar->is_open = archive.read_support_format_tar(tar->archive) == RESULT_OK &&
                 archive.read_set_format_option(tar->archive, "tar", "read_concatenated_archives", "1") == RESULT_OK &&
                 archive.read_open_fd(tar->archive, descriptor, BLOCK) == RESULT_OK;
  return tar;
}

int swzip_tar_next(swzip_tar *tar, struct swzip_tar_entry *found) {
  struct archive_entry *entry;
  if (!tar->is_open) return SWZIP_TAR_DAMAGED;
  // A warning says that a name is not of the locale's characters.
  const int result = archive.read_next_header(tar->archive, &entry);
  if (result == RESULT_END) return SWZIP_TAR_END;
  if (result != RESULT_OK && result != RESULT_WARNING) return SWZIP_TAR_DAMAGED;
  const mode_t kind = archive.entry_filetype(entry);
  found->name = archive.entry_pathname(entry);
  if (found->name == NULL) found->name = archive.entry_pathname_utf8(entry);
  found->target = NULL;
  if (S_ISLNK(kind)) {
    found->target = archive.entry_symlink(entry);
    if (found->target == NULL) found->target = archive.entry_symlink_utf8(entry);
  }
  found->byte_count = archive.entry_size(entry);
  found->seconds = archive.entry_mtime(entry);
  found->nanoseconds = (uint32_t)archive.entry_mtime_nsec(entry);
  found->permissions = (uint32_t)(archive.entry_perm(entry) & 0777);
  if (archive.entry_hardlink(entry) != NULL || archive.entry_hardlink_utf8(entry) != NULL) return SWZIP_TAR_OTHER;
  return S_ISREG(kind) ? SWZIP_TAR_FILE : S_ISDIR(kind) ? SWZIP_TAR_FOLDER : S_ISLNK(kind) ? SWZIP_TAR_LINK : SWZIP_TAR_OTHER;
}

ptrdiff_t swzip_tar_read(swzip_tar *tar, void *bytes, size_t count) {
  const ssize_t read = archive.read_data(tar->archive, bytes, count);
  return read < 0 ? -1 : (ptrdiff_t)read;
}

const char *swzip_tar_words(const swzip_tar *tar) {
  const char *const words = archive.error_string(tar->archive);
  return words != NULL ? words : "it cannot be read";
}

void swzip_tar_close(swzip_tar *tar) {
  (void)archive.read_free(tar->archive);
  free(tar);
}
