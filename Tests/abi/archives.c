// Archives of checkpoints: what is added is listed, opened by any word and read through its chain.
#include "abi.h"

static void save_step(const char *folder, const char *file, bytes content) {
  EXPECT(mkdir(folder, 0755) == 0);
  save(file, content);
}

// Opens a checkpoint and compares its one file.
static void holds(const char *word, const char *name, bytes original) {
  swz_container *container = NULL;
  swz_checkpoint checkpoint = {.size = sizeof checkpoint};
  STATUS(SWZ_OK, swz_archive_open("run", word, 0, NULL, NULL, &container, &checkpoint, &said));
  EXPECT(strcmp(checkpoint.name, name) == 0 && checkpoint.byte_count == original.count && checkpoint.part_count == 1);
  swz_member member = {.size = sizeof member};
  STATUS(SWZ_OK, swz_member_at(container, 0, &member, &said));
  EXPECT(swz_member_count(container) == 1 && strcmp(member.name, "w.safetensors") == 0 && member.sha256);
  const bytes back = room(original.count);
  STATUS(SWZ_OK, swz_read(container, 0, 0, back.start, back.count, NULL, &said));
  EXPECT(equal(back, original));
  size_t number = 0;
  STATUS(SWZ_OK, swz_find_tensor(container, "w", &number, &said));
  STATUS(SWZ_OK, swz_read_rows(container, number, 3, 5, back.start, 4 * columns, NULL, &said));
  EXPECT(memcmp(back.start, original.start + payload(original) + 6 * columns, 4 * columns) == 0);
  swz_close(container);
  drop(back);
}

static void lists(const char *part) {
  swz_listing *listing = NULL;
  STATUS(SWZ_OK, swz_archive_list("run", &listing, &said));
  const char *json = swz_listing_json(listing);
  EXPECT(json && strstr(json, part));
  swz_listing_close(listing);
}

static void test_mistakes(void) {
  const int want = SWZ_INVALID_ARGUMENT;
  swz_container *container = NULL;
  swz_listing *listing = NULL;
  swz_checkpoint other = {.size = 1};
  STATUS(want, swz_archive_create(NULL, &said));
  STATUS(want, swz_archive_add(NULL, "step-3", NULL, NULL, NULL, &said));
  STATUS(want, swz_archive_add("run", NULL, NULL, NULL, NULL, &said));
  STATUS(want, swz_archive_add("run", "step-3", &other, NULL, NULL, &said));
  STATUS(want, swz_archive_list("run", NULL, &said));
  STATUS(want, swz_archive_open("run", NULL, 0, NULL, NULL, &container, NULL, &said));
  STATUS(want, swz_archive_open("run", "latest", 0, NULL, NULL, NULL, NULL, &said));
  STATUS(want, swz_archive_open("run", "latest", 0, NULL, NULL, &container, &other, &said));
  STATUS(want, swz_archive_open("run", "latest", 1, NULL, NULL, &container, NULL, &said));
  STATUS(want, swz_archive_tag("run", "1", NULL, &said));
  STATUS(want, swz_archive_forget("run", NULL, &said));
  const uint64_t large = 1000000000000;
  const swz_add_options wrong[] = {{.size = 1},
                                   {.size = sizeof(swz_add_options), .level = 10},
                                   {.size = sizeof(swz_add_options), .max_depth = 64},
                                   {.size = sizeof(swz_add_options), .step = &large},
                                   {.size = sizeof(swz_add_options), .part = 2, .parts = 2},
                                   {.size = sizeof(swz_add_options), .part = -1, .parts = 2},
                                   {.size = sizeof(swz_add_options), .part = 1},
                                   {.size = sizeof(swz_add_options), .parts = 1},
                                   {.size = sizeof(swz_add_options), .parts = 65538},
                                   {.size = sizeof(swz_add_options), .group = "word"},
                                   {.size = sizeof(swz_add_options), .parts = 2, .group = ""}};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    STATUS(want, swz_archive_add("run", "step-3", NULL, &wrong[i], NULL, &said));
  STATUS(want, swz_archive_add("run", "folder", NULL, NULL, NULL, &said)); // Whose name says no step.
  STATUS(SWZ_FAILED, swz_archive_add("run", "missing-1", NULL, NULL, NULL, &said));
  EXPECT(said.system == ENOENT && strcmp(said.file, "missing-1") == 0);
  STATUS(SWZ_BASE, swz_archive_list("step-3", &listing, &said));
  EXPECT(strcmp(said.rule, "noArchive") == 0 && strcmp(said.file, "step-3") == 0);
  STATUS(SWZ_REFUSED, swz_archive_create("step-3", &said));
  STATUS(SWZ_REFUSED, swz_archive_open("run", "7", 0, NULL, NULL, &container, NULL, &said));
  EXPECT(strcmp(said.rule, "noSuchCheckpoint") == 0 && strcmp(said.file, "run") == 0);
  EXPECT(!container && !listing && !swz_listing_json(NULL));
  swz_listing_close(NULL);
}

// Adds a part of two.
static void adds(const char *path, int part, const char *group, size_t there) {
  const swz_add_options options = {.size = sizeof options, .part = part, .parts = 2, .group = group};
  swz_checkpoint added = {.size = sizeof added};
  STATUS(SWZ_OK, swz_archive_add("parts", path, &added, &options, NULL, &said));
  EXPECT(added.is_new && added.is_exact && added.part_count == 2 && added.parts_there == there);
}

// Of one folder by the names of its files, and of folders of their own.
static void test_parts(bytes first, bytes second) {
  swz_container *container = NULL;
  swz_checkpoint checkpoint = {.size = sizeof checkpoint};
  STATUS(SWZ_OK, swz_archive_create("parts", &said));
  save_step("checkpoint-7", "checkpoint-7/rank_0.bin", first);
  save("checkpoint-7/rank_1.bin", second);
  adds("checkpoint-7", 1, NULL, 1);
  STATUS(SWZ_REFUSED, swz_archive_open("parts", "7", 0, NULL, NULL, &container, &checkpoint, &said));
  EXPECT(strcmp(said.rule, "missingParts") == 0);
  adds("checkpoint-7", 0, NULL, 2);
  save_step("checkpoint-8", "checkpoint-8/a.safetensors", first);
  EXPECT(mkdir("other", 0755) == 0);
  save_step("other/checkpoint-8", "other/checkpoint-8/b.safetensors", second);
  adds("checkpoint-8", 0, "word", 1);
  adds("other/checkpoint-8", 1, "word", 2);
  for (size_t part = 0; part < 2; part++) {
    STATUS(SWZ_OK, swz_archive_open("parts", "7", part, NULL, NULL, &container, &checkpoint, &said));
    swz_member member = {.size = sizeof member};
    STATUS(SWZ_OK, swz_member_at(container, 0, &member, &said));
    EXPECT(swz_member_count(container) == 1 && strcmp(member.name, part ? "rank_1.bin" : "rank_0.bin") == 0);
    EXPECT(checkpoint.part_count == 2 && checkpoint.parts_there == 2 && checkpoint.is_exact);
    EXPECT(checkpoint.byte_count == first.count + second.count);
    swz_close(container);
  }
  swz_listing *listing = NULL;
  STATUS(SWZ_OK, swz_archive_list("parts", &listing, &said));
  EXPECT(strstr(swz_listing_json(listing), "\"latest\":\"8\""));
  EXPECT(strstr(swz_listing_json(listing), "\"parts\":2,\"parts_there\":2,\"inexact\":[]"));
  swz_listing_close(listing);
}

static void warned(void *context, const char *text) { *(int *)context += text[0] != 0; }

void test_archives(void) {
  const bytes first = sample(300, 30), second = stepped(first), third = sample(300, 31);
  save_step("step-1", "step-1/w.safetensors", first);
  save_step("step-2", "step-2/w.safetensors", second);
  save_step("step-3", "step-3/w.safetensors", third);
  STATUS(SWZ_OK, swz_archive_create("run", &said));
  lists("\"latest\":null,\"checkpoints\":[],\"unreadable\":[]}");
  swz_container *container = NULL;
  STATUS(SWZ_REFUSED, swz_archive_open("run", "latest", 0, NULL, NULL, &container, NULL, &said));

  swz_checkpoint added = {.size = sizeof added};
  STATUS(SWZ_OK, swz_archive_add("run", "step-1", &added, NULL, NULL, &said));
  EXPECT(added.is_new && added.step == 1 && strlen(added.id) == 64 && added.byte_count == first.count);
  const uint64_t alone = added.packed_byte_count;
  STATUS(SWZ_OK, swz_archive_add("run", "step-2", &added, NULL, NULL, &said));
  EXPECT(added.is_new && strcmp(added.name, "2") == 0 && added.packed_byte_count < alone / 3);
  STATUS(SWZ_OK, swz_archive_add("run", "step-2", &added, NULL, NULL, &said));
  EXPECT(!added.is_new && strcmp(added.name, "2") == 0);
  lists("\"depth\":1,\"bases\":[\"1\"],\"tags\":[]");
  holds("1", "1", first);
  holds("latest", "2", second);

  // Another step than the name says, alone, with a warning of an empty folder; other files make the next attempt.
  int warnings = 0;
  const uint64_t step = 2;
  const swz_add_options options = {.size = sizeof options, .step = &step, .level = 1, .stands_alone = 1, .as_is = 1,
                                   .warn = warned, .warn_context = &warnings};
  EXPECT(mkdir("step-3/empty", 0755) == 0);
  STATUS(SWZ_OK, swz_archive_add("run", "step-3", NULL, &options, NULL, &said));
  EXPECT(warnings == 1);
  holds("2@2", "2@2", third);
  holds("latest", "2@2", third);
  STATUS(SWZ_OK, swz_archive_tag("run", "2@1", "best", &said));
  lists("\"tags\":[\"best\"]");
  holds("best", "2", second);
  STATUS(SWZ_REFUSED, swz_archive_forget("run", "best", &said));
  STATUS(SWZ_OK, swz_archive_forget("run", "latest", &said));
  holds("latest", "2", second);

  const int cancel = 1, before = entries();
  const swz_call call = {.size = sizeof call, .cancel = &cancel};
  STATUS(SWZ_CANCELLED, swz_archive_add("run", "step-3", NULL, NULL, &call, &said));
  test_mistakes();
  EXPECT(entries() == before);
  holds("latest", "2", second);
  test_parts(first, second);
  drop(first), drop(second), drop(third);
}
