// Errors and their fields; arguments that are missing, or structs of another size.
#include "abi.h"

static int one_line(const char *text) { return text[0] && !strchr(text, '\n'); }

void test_errors(void) {
  EXPECT(swz_version()[0] >= '0' && swz_version()[0] <= '9');
  for (int status = -1; status < 80; status++) EXPECT(one_line(swz_status_text(status)));
  swz_container *container = NULL;
  STATUS(SWZ_FAILED, swz_open("missing.swz", NULL, &container, &said));
  EXPECT(said.code == SWZ_FAILED && said.system == ENOENT && said.position == SWZ_NO_POSITION && !container);
  EXPECT(strcmp(said.file, "missing.swz") == 0 && one_line(said.text) && one_line(said.rule));
  const bytes noise = sample(10, 9);
  save("noise", noise);
  STATUS(SWZ_DAMAGED, swz_open("noise", NULL, &container, &said));
  EXPECT(said.code == SWZ_DAMAGED && said.system == 0 && strcmp(said.file, "noise") == 0 && one_line(said.text));
  STATUS(SWZ_DAMAGED, swz_open_memory(noise.start, noise.count, NULL, &container, &said));
  EXPECT(strcmp(said.file, "") == 0);
  EXPECT(swz_open(".", NULL, &container, &said) != SWZ_OK && !container);
  // No struct for it; one of another size is left alone; a path that is too long is cut.
  STATUS(SWZ_FAILED, swz_open("missing.swz", NULL, &container, NULL));
  swz_error other, copy;
  memset(&other, 0xa5, sizeof other);
  other.size = sizeof other.size;
  copy = other;
  STATUS(SWZ_FAILED, swz_open("missing.swz", NULL, &container, &other));
  EXPECT(memcmp(&other, &copy, sizeof other) == 0);
  char name[3001];
  memset(name, 'x', 3000);
  for (int i = 100; i < 3000; i += 100) name[i] = '/';
  name[3000] = 0;
  STATUS(SWZ_FAILED, swz_open(name, NULL, &container, &said));
  EXPECT(strlen(said.file) > 0 && strlen(said.file) < sizeof said.file);
  drop(noise);
}

static void test_missing(bytes source, bytes packed, swz_container *container) {
  unsigned char byte;
  size_t number = 0;
  uint64_t count = 0;
  const char *json = NULL;
  swz_container *opened = NULL;
  swz_decoder *decoder = NULL;
  swz_snapshot *snapshot = NULL;
  stream s = {.content = source};
  const int want = SWZ_INVALID_ARGUMENT;
  STATUS(want, swz_open(NULL, NULL, &opened, &said));
  STATUS(want, swz_open("a.swz", NULL, NULL, &said));
  STATUS(want, swz_open_memory(NULL, 10, NULL, &opened, &said));
  STATUS(want, swz_open_memory(packed.start, packed.count, NULL, NULL, &said));
  STATUS(want, swz_open_callback(NULL, NULL, 10, NULL, &opened, &said));
  STATUS(want, swz_member_at(container, 0, NULL, &said));
  STATUS(want, swz_tensor_at(container, 0, NULL, &said));
  STATUS(want, swz_find_tensor(container, NULL, &number, &said));
  STATUS(want, swz_find_tensor(container, "w", NULL, &said));
  STATUS(want, swz_describe(container, NULL, &said));
  STATUS(want, swz_describe(NULL, &json, &said));
  STATUS(want, swz_read(NULL, 0, 0, &byte, 1, NULL, &said));
  STATUS(want, swz_read(container, 0, 0, NULL, 1, NULL, &said));
  STATUS(want, swz_read_tensor(container, 0, NULL, 100, NULL, &said));
  STATUS(want, swz_read_rows(container, 0, 0, 1, NULL, 2 * columns, NULL, &said));
  STATUS(want, swz_decoder_open(NULL, NULL, NULL, NULL, NULL, &decoder, &said));
  STATUS(want, swz_decoder_open(stream_write, NULL, &s, NULL, NULL, NULL, &said));
  STATUS(want, swz_decoder_push(NULL, &byte, 1, &said));
  STATUS(want, swz_decoder_finish(NULL, NULL, &said));
  STATUS(want, swz_decoded_byte_count(NULL, 10, &count, &said));
  STATUS(want, swz_decoded_byte_count(packed.start, packed.count, NULL, &said));
  STATUS(want, swz_unpack(NULL, 10, &byte, 1, &number, NULL, NULL, &said));
  STATUS(want, swz_unpack(packed.start, packed.count, NULL, source.count, &number, NULL, NULL, &said));
  STATUS(want, swz_unpack_file(NULL, "out", NULL, NULL, &said));
  STATUS(want, swz_unpack_file("a.swz", NULL, NULL, NULL, &said));
  STATUS(want, swz_verify(NULL, NULL, NULL, &said));
  STATUS(want, swz_pack(NULL, 10, &byte, 1, &number, NULL, NULL, &said));
  STATUS(want, swz_pack(packed.start, packed.count, NULL, 1000000, &number, NULL, NULL, &said));
  STATUS(want, swz_pack_file(NULL, "out.swz", NULL, NULL, &said));
  STATUS(want, swz_pack_file("a", NULL, NULL, NULL, &said));
  STATUS(want, swz_pack_callback(NULL, NULL, 1, stream_write, &s, NULL, NULL, &said));
  STATUS(want, swz_pack_callback(stream_read, &s, 1, NULL, NULL, NULL, NULL, &said));
  STATUS(want, swz_snapshot_open(NULL, 10, &snapshot, &said));
  STATUS(want, swz_snapshot_open(source.start, source.count, NULL, &said));
  STATUS(want, swz_snapshot_encode(NULL, &byte, 1, &byte, 1, &number, NULL, NULL, &said));
  STATUS(want, swz_snapshot_apply(NULL, packed.start, packed.count, NULL, &said));
  EXPECT(said.code == want && one_line(said.text));
  EXPECT(!opened && !decoder && !snapshot);
  swz_decoder_close(NULL);
  swz_snapshot_close(NULL);
}

static void test_options(bytes source, bytes packed, swz_container *container) {
  const bytes target = room(swz_pack_bound(source.count));
  size_t written = 0;
  const swz_pack_options wrong[] = {
      {.size = 0},
      {.size = sizeof(swz_pack_options) - 1},
      {.size = SIZE_MAX},
      {.size = sizeof(swz_pack_options), .level = 10},
      {.size = sizeof(swz_pack_options), .level = -1},
      {.size = sizeof(swz_pack_options), .format = "no such format"},
      {.size = sizeof(swz_pack_options), .bases = NULL, .base_count = 1},
      {.size = sizeof(swz_pack_options), .bases = (const char *[]){NULL}, .base_count = 1},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    STATUS(SWZ_INVALID_ARGUMENT,
           swz_pack(source.start, source.count, target.start, target.count, &written, &wrong[i], NULL, &said));
  const swz_call calls[] = {
      {.size = 0},
      {.size = sizeof(swz_call) + 1},
      {.size = sizeof(swz_call), .threads = -1},
      {.size = sizeof(swz_call), .check = 2},
  };
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
    STATUS(SWZ_INVALID_ARGUMENT,
           swz_pack(source.start, source.count, target.start, target.count, &written, NULL, &calls[i], &said));
    STATUS(SWZ_INVALID_ARGUMENT, swz_read(container, 0, 0, target.start, 1, &calls[i], &said));
    STATUS(SWZ_INVALID_ARGUMENT,
           swz_unpack(packed.start, packed.count, target.start, target.count, &written, NULL, &calls[i], &said));
  }
  swz_container *opened = NULL;
  const swz_open_options opens[] = {{.size = 3}, {sizeof(swz_open_options), NULL, 2}};
  for (size_t i = 0; i < 2; i++)
    STATUS(SWZ_INVALID_ARGUMENT, swz_open_memory(packed.start, packed.count, &opens[i], &opened, &said));
  STATUS(SWZ_INVALID_ARGUMENT, swz_member_at(container, 0, &(swz_member){.size = 1}, &said));
  STATUS(SWZ_INVALID_ARGUMENT, swz_tensor_at(container, 0, &(swz_tensor){.size = 1}, &said));
  drop(target);
}

void test_arguments(void) {
  const bytes source = sample(100, 10), packed = pack(source, NULL);
  swz_container *container = NULL;
  STATUS(SWZ_OK, swz_open_memory(packed.start, packed.count, NULL, &container, &said));
  const int before = entries();
  test_missing(source, packed, container);
  test_options(source, packed, container);
  EXPECT(entries() == before);
  swz_close(container);
  drop(source), drop(packed);
}
