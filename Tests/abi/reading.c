// Reading at random: members, tensors, rows, ranges.
#include "abi.h"

static void test_tensors(swz_container *container, bytes source, size_t rows) {
  EXPECT(swz_tensor_count(container) == 2);
  size_t number = 9;
  STATUS(SWZ_OK, swz_find_tensor(container, "w", &number, &said));
  swz_tensor tensor = {.size = sizeof tensor};
  STATUS(SWZ_OK, swz_tensor_at(container, number, &tensor, &said));
  EXPECT(strcmp(tensor.name, "w") == 0 && strcmp(tensor.type, "BF16") == 0 && tensor.rank == 2);
  EXPECT(tensor.shape[0] == rows && tensor.shape[1] == columns && tensor.member == 0);
  EXPECT(tensor.offset == payload(source) && tensor.byte_count == rows * columns * 2);
  const bytes all = room((size_t)tensor.byte_count), some = room(7 * columns * 2);
  STATUS(SWZ_OK, swz_read_tensor(container, number, all.start, all.count, NULL, &said));
  EXPECT(memcmp(all.start, source.start + tensor.offset, all.count) == 0);
  STATUS(SWZ_OK, swz_read_rows(container, number, rows - 7, rows, some.start, some.count, NULL, &said));
  EXPECT(memcmp(some.start, all.start + all.count - some.count, some.count) == 0);
  STATUS(SWZ_OK, swz_read_rows(container, number, 3, 3, NULL, 0, NULL, &said));
  // Other lengths than asked for, and rows that are not there.
  STATUS(SWZ_INVALID_ARGUMENT, swz_read_tensor(container, number, all.start, all.count - 1, NULL, &said));
  STATUS(SWZ_INVALID_ARGUMENT, swz_read_tensor(container, 2, all.start, all.count, NULL, &said));
  STATUS(SWZ_INVALID_ARGUMENT, swz_read_rows(container, number, 0, 7, some.start, some.count - 1, NULL, &said));
  STATUS(SWZ_INVALID_ARGUMENT,
         swz_read_rows(container, number, rows - 6, rows + 1, some.start, some.count, NULL, &said));
  STATUS(SWZ_INVALID_ARGUMENT, swz_read_rows(container, number, 8, 1, some.start, some.count, NULL, &said));
  STATUS(SWZ_INVALID_ARGUMENT,
         swz_read_rows(container, number, UINT64_MAX - 6, UINT64_MAX, some.start, some.count, NULL, &said));
  STATUS(SWZ_INVALID_ARGUMENT, swz_tensor_at(container, 2, &tensor, &said));
  STATUS(SWZ_INVALID_ARGUMENT, swz_find_tensor(container, "", &number, &said));
  EXPECT(strcmp(said.rule, "noSuchTensor") == 0);
  STATUS(SWZ_OK, swz_find_tensor(container, "b", &number, &said));
  STATUS(SWZ_OK, swz_read_tensor(container, number, some.start, 16, NULL, &said));
  EXPECT(memcmp(some.start, source.start + source.count - 16, 16) == 0);
  drop(all), drop(some);
}

static void test_ranges(swz_container *container, bytes source) {
  for (unsigned i = 0; i < 40; i++) {
    const size_t offset = i * 7919 % source.count, count = i * 104729 % (source.count - offset);
    const bytes part = room(count);
    const swz_call call = {.size = sizeof call, .threads = (int)(i % 3), .check = (int)(i & 1)};
    STATUS(SWZ_OK, swz_read(container, 0, offset, part.start, count, &call, &said));
    EXPECT(memcmp(part.start, source.start + offset, count) == 0);
    drop(part);
  }
  unsigned char byte;
  STATUS(SWZ_OK, swz_read(container, 0, source.count, NULL, 0, NULL, &said));
  STATUS(SWZ_OK, swz_read(container, 0, source.count - 1, &byte, 1, NULL, &said));
  EXPECT(byte == source.start[source.count - 1]);
  STATUS(SWZ_INVALID_ARGUMENT, swz_read(container, 0, source.count, &byte, 1, NULL, &said));
  STATUS(SWZ_INVALID_ARGUMENT, swz_read(container, 0, UINT64_MAX, &byte, 1, NULL, &said));
  STATUS(SWZ_INVALID_ARGUMENT, swz_read(container, 1, 0, &byte, 1, NULL, &said));
}

static void test_members(swz_container *container, bytes source, bytes packed) {
  EXPECT(swz_member_count(container) == 1);
  swz_member member = {.size = sizeof member};
  STATUS(SWZ_OK, swz_member_at(container, 0, &member, &said));
  EXPECT(strcmp(member.name, "") == 0 && member.byte_count == source.count && !member.link && !member.sha256);
  STATUS(SWZ_INVALID_ARGUMENT, swz_member_at(container, 1, &member, &said));
  const char *json = NULL;
  STATUS(SWZ_OK, swz_describe(container, &json, &said));
  char wanted[256];
  snprintf(wanted, sizeof wanted, "\"packed_byte_count\":%zu,", packed.count);
  EXPECT(json && strstr(json, wanted) && strstr(json, "\"b\",\"F32\",[4],0,"));
  snprintf(wanted, sizeof wanted, "[\"w\",\"BF16\",[500,%d],0,%zu,%d]", columns, payload(source), 500 * columns * 2);
  EXPECT(json && strstr(json, wanted));
  snprintf(wanted, sizeof wanted, "{\"members\":[{\"name\":\"\",\"byte_count\":%zu,", source.count);
  EXPECT(json && strncmp(json, wanted, strlen(wanted)) == 0);
}

static void test_failing_callback(bytes source, bytes packed) {
  stream from = {.content = packed};
  swz_container *container = NULL;
  unsigned char byte = 0;
  STATUS(SWZ_OK, swz_open_callback(stream_read, &from, packed.count, NULL, &container, &said));
  from.fail_at = 1;
  STATUS(SWZ_FAILED, swz_read(container, 0, 40000, &byte, 1, NULL, &said));
  from.fail_at = 0; // The next call may do better.
  STATUS(SWZ_OK, swz_read(container, 0, 40000, &byte, 1, NULL, &said));
  EXPECT(byte == source.start[40000]);
  swz_close(container);
}

void test_reading(void) {
  const bytes source = sample(500, 4), packed = pack(source, NULL);
  save("read.swz", packed);
  stream from = {.content = packed};
  swz_container *containers[3] = {0};
  STATUS(SWZ_OK, swz_open("read.swz", NULL, &containers[0], &said));
  STATUS(SWZ_OK, swz_open_memory(packed.start, packed.count, NULL, &containers[1], &said));
  STATUS(SWZ_OK, swz_open_callback(stream_read, &from, packed.count, NULL, &containers[2], &said));
  for (int i = 0; i < 3; i++) {
    test_members(containers[i], source, packed);
    test_tensors(containers[i], source, 500);
    test_ranges(containers[i], source);
  }
  for (int i = 0; i < 3; i++) swz_close(containers[i]);
  test_failing_callback(source, packed);
  swz_close(NULL);
  drop(source), drop(packed);
}

// A container of a folder, made by the command: a.safetensors, sub/b.safetensors with the same bytes, sub/link to
// ../a.safetensors.
void test_folders(const char *name) {
  swz_container *container = NULL;
  STATUS(SWZ_OK, swz_open(name, NULL, &container, &said));
  const bytes original = load("folder/a.safetensors");
  int files = 0, links = 0;
  for (size_t number = 0; number < swz_member_count(container); number++) {
    swz_member member = {.size = sizeof member};
    STATUS(SWZ_OK, swz_member_at(container, number, &member, &said));
    if (member.link) {
      links++;
      EXPECT(strcmp(member.name, "sub/link") == 0 && strcmp(member.link, "../a.safetensors") == 0);
    } else if (member.byte_count == original.count) {
      files++;
      const bytes back = room(original.count);
      STATUS(SWZ_OK, swz_read(container, number, 0, back.start, back.count, NULL, &said));
      EXPECT(equal(back, original) && member.mode == 0640);
      EXPECT(member.time_seconds > 1000000000 && member.time_nanoseconds >= 0);
      drop(back);
    }
  }
  EXPECT(files == 2 && links == 1 && swz_tensor_count(container) == 4);
  size_t number = 0;
  swz_tensor tensor = {.size = sizeof tensor};
  STATUS(SWZ_OK, swz_find_tensor(container, "w", &number, &said));
  STATUS(SWZ_OK, swz_tensor_at(container, number, &tensor, &said));
  EXPECT(tensor.offset == payload(original));
  swz_close(container);

  // The command and the library make the same container of a folder.
  STATUS(SWZ_OK, swz_pack_file("folder", "again.swz", NULL, NULL, &said));
  const bytes again = load("again.swz"), first = load(name);
  EXPECT(equal(again, first));
  const char *bases[] = {name};
  const swz_pack_options against = {.size = sizeof against, .bases = bases, .base_count = 1};
  STATUS(SWZ_INVALID_ARGUMENT, swz_pack_file("folder", "again.swz", &against, NULL, &said));
  STATUS(SWZ_REFUSED, swz_pack_file("folder", "folder/a.safetensors", NULL, NULL, &said));
  const bytes kept = load("folder/a.safetensors");
  EXPECT(equal(kept, original));
  drop(again), drop(first), drop(kept);

  // Many members fit neither one buffer nor one file.
  EXPECT(swz_unpack_file(name, "one", NULL, NULL, &said) != SWZ_OK && !exists("one"));
  STATUS(SWZ_OK, swz_verify(name, NULL, NULL, &said));
  drop(original);
}
