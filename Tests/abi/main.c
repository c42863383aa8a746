// The C interface, all of it.  abi FOLDER CONTAINER [threads | forks];  abi FILE
//
// FOLDER has folder/ and CONTAINER, which the command packed from it. What runs threads and forks is tried apart, and needs
// neither: valgrind runs one thread at a time, and would say nothing about it. FILE is written: a model for the folder.
#include "abi.h"

static void test_all(const char *container) {
  test_errors();
  test_arguments();
  test_packing();
  test_bases();
  test_reading();
  test_folders(container);
  test_unpacking();
  test_decoder();
  test_read_back();
  test_files();
  test_damage();
  test_calls();
  test_cancelling();
  test_snapshots();
  test_archives();
}

int main(int count, char **arguments) {
  if (count == 2) {
    const bytes model = sample(300, 20);
    save(arguments[1], model);
    drop(model);
    return 0;
  }
  if (count < 3) return 64;
  enter(arguments[1]);
  if (count == 3) {
    test_all(arguments[2]);
  } else if (strcmp(arguments[3], "threads") == 0) {
    test_threads();
  } else {
    test_fork();
  }
  return finish();
}
