// What Swift's runtime, libstdc++ and this project take from glibcs younger than 2.17.
#include <sys/syscall.h>
#include <unistd.h>

#define HIDDEN __attribute__((visibility("hidden")))

// glibc 2.32: never said to be single threaded, libstdc++ counts references atomically.
HIDDEN char __libc_single_threaded;

// glibc 2.28; a kernel without it answers ENOSYS.
HIDDEN int renameat2(int old_folder, const char *old_path, int new_folder, const char *new_path, unsigned flags) {
  return (int)syscall(SYS_renameat2, old_folder, old_path, new_folder, new_path, flags);
}
