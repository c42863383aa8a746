// The table of live temporary files, the list of a live temporary folder, and the signal handler that empties both.
//
// A slot goes from free to being filled to live, and back; only a live one is unlinked. The handler may run on any
// thread at any moment: it reads the state with acquire order and touches only paths that are complete.
//
// Signals come in pairs: `timeout` and service managers tell a process and then its group. The handler stays installed
// until everything is removed, the first signal cleans, and a thread that a further one finds, or that would make another
// file, waits for the end.
#if defined(__linux__)
#define _GNU_SOURCE
#endif
#include "include/swzip_system.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

enum { slot_count = 64, path_bytes = 4096 };
enum { slot_free, slot_filling, slot_live };

static char paths[slot_count][path_bytes];
static _Atomic int states[slot_count];
// Slots belong to the process that filled them: a forked child that is interrupted leaves its parent's files alone.
static _Atomic pid_t owners[slot_count];

// Set by the first deadly signal.
static atomic_flag is_dying_taken = ATOMIC_FLAG_INIT;
static atomic_bool is_dying;

static void wait_if_dying(void) {
  while (atomic_load(&is_dying)) (void)poll(NULL, 0, 1000);
}

int swzip_live_add(const char *path) {
  wait_if_dying();
  size_t length = strlen(path);
  if (length >= path_bytes) return -1;
  for (int slot = 0; slot < slot_count; slot++) {
    int expected = slot_free;
    if (!atomic_compare_exchange_strong(&states[slot], &expected, slot_filling)) continue;
    memcpy(paths[slot], path, length + 1);
    atomic_store(&owners[slot], getpid());
    atomic_store_explicit(&states[slot], slot_live, memory_order_release);
    return slot;
  }
  return -1;
}

void swzip_live_remove(int slot) {
  if (slot >= 0 && slot < slot_count) atomic_store(&states[slot], slot_free);
}

// Returns whether something that is listed was not there: not made yet, perhaps.
static bool unlink_files(void) {
  pid_t self = getpid();
  bool missed = false;
  for (int slot = 0; slot < slot_count; slot++) {
    if (atomic_load_explicit(&states[slot], memory_order_acquire) == slot_live && atomic_load(&owners[slot]) == self)
      missed |= unlink(paths[slot]) != 0 && errno == ENOENT;
  }
  return missed;
}

void swzip_live_unlink_all(void) {
  (void)unlink_files();
  swzip_live_tree_unlink();
}

// The live folder: a list, the newest path first. Only its head changes while a handler may look, and a path is complete
// before it becomes the head.
struct live_path {
  struct live_path *before;
  char path[];
};
static struct live_path *_Atomic tree;
static _Atomic pid_t tree_owner;

int swzip_live_tree_add(const char *path) {
  wait_if_dying();
  size_t length = strlen(path) + 1;
  struct live_path *node = malloc(sizeof *node + length);
  if (node == NULL) return -1;
  memcpy(node->path, path, length);
  node->before = atomic_load(&tree);
  atomic_store(&tree_owner, getpid());
  atomic_store_explicit(&tree, node, memory_order_release);
  return 0;
}

// Returns whether something may be left: the folder itself, listed last, could not be removed.
static bool unlink_tree(void) {
  if (atomic_load(&tree_owner) != getpid()) return false;
  bool left = false;
  for (struct live_path *node = atomic_load_explicit(&tree, memory_order_acquire); node != NULL; node = node->before)
    left = unlink(node->path) != 0 && rmdir(node->path) != 0 && errno != ENOENT;
  return left;
}

void swzip_live_tree_unlink(void) { (void)unlink_tree(); }

void swzip_live_tree_forget(void) {
  // Empty first: a handler that interrupts the loop finds nothing.
  struct live_path *node = atomic_exchange(&tree, NULL);
  while (node != NULL) {
    struct live_path *before = node->before;
    free(node);
    node = before;
  }
}

static const int deadly[] = {SIGINT, SIGTERM, SIGHUP, SIGXCPU};

static void die_clean(int number) {
  if (atomic_flag_test_and_set(&is_dying_taken)) {
    for (;;) (void)poll(NULL, 0, 1000);
  }
  atomic_store(&is_dying, true);
  // Another thread may be between listing a path and making it; it makes no further one.
  for (int try = 0; try < 20; try++) {
    bool missed = unlink_files();
    missed |= unlink_tree();
    if (!missed) break;
    (void)poll(NULL, 0, 1);
  }
  // The default action, on return, of whichever is pending: every signal is blocked while a handler runs.
  for (size_t i = 0; i < sizeof deadly / sizeof deadly[0]; i++) (void)signal(deadly[i], SIG_DFL);
  (void)raise(number);
}

void swzip_signals_install(void) {
  for (size_t i = 0; i < sizeof deadly / sizeof deadly[0]; i++) {
    struct sigaction now;
    if (sigaction(deadly[i], NULL, &now) != 0 || now.sa_handler == SIG_IGN) continue;
    struct sigaction then;
    memset(&then, 0, sizeof then);
    then.sa_handler = die_clean;
    (void)sigfillset(&then.sa_mask);
    (void)sigaction(deadly[i], &then, NULL);
  }
  (void)signal(SIGPIPE, SIG_IGN);
  (void)signal(SIGXFSZ, SIG_IGN);
}
