// Packing, from memory, files and callbacks, with each option and with bases.
#include "abi.h"

static void test_options(bytes source) {
  bytes levels[10];
  for (int level = 0; level <= 9; level++) {
    levels[level] = pack(source, &(swz_pack_options){.size = sizeof(swz_pack_options), .level = level});
    EXPECT(levels[level].count < source.count);
    unpacks(levels[level], source, NULL, NULL);
  }
  const bytes plain = pack(source, NULL);
  EXPECT(equal(plain, levels[3]) && equal(levels[0], levels[3]));
  const bytes unverified = pack(source, &(swz_pack_options){.size = sizeof(swz_pack_options), .no_verify = 1});
  EXPECT(equal(plain, unverified));
  const bytes named = pack(source, &(swz_pack_options){.size = sizeof(swz_pack_options), .format = "safetensors"});
  EXPECT(equal(plain, named));
  const bytes raw = pack(source, &(swz_pack_options){.size = sizeof(swz_pack_options), .format = "raw"});
  swz_container *container = NULL;
  STATUS(SWZ_OK, swz_open_memory(raw.start, raw.count, NULL, &container, &said));
  EXPECT(swz_tensor_count(container) == 0);
  swz_close(container);
  unpacks(raw, source, NULL, NULL);
  drop(plain), drop(unverified), drop(named), drop(raw);
  for (int level = 0; level <= 9; level++) drop(levels[level]);
}

static void test_sha256(bytes source) {
  const bytes packed = pack(source, &(swz_pack_options){.size = sizeof(swz_pack_options), .sha256 = 1});
  swz_container *container = NULL;
  swz_member member = {.size = sizeof member};
  STATUS(SWZ_OK, swz_open_memory(packed.start, packed.count, NULL, &container, &said));
  STATUS(SWZ_OK, swz_member_at(container, 0, &member, &said));
  char line[128] = "";
  save("hashed", source);
  FILE *tool = popen("sha256sum hashed", "r");
  EXPECT(tool && fgets(line, sizeof line, tool) && member.sha256 && strlen(member.sha256) == 64);
  EXPECT(member.sha256 && memcmp(line, member.sha256, 64) == 0);
  if (tool) pclose(tool);
  swz_close(container);
  drop(packed);
}

static void test_callbacks(bytes source, bytes packed) {
  stream from = {.content = source}, to = {.content = room(swz_pack_bound(source.count))};
  STATUS(SWZ_OK, swz_pack_callback(stream_read, &from, source.count, stream_write, &to, NULL, NULL, &said));
  EXPECT(equal(packed, (bytes){to.content.start, to.position}));
  to.position = 0, to.fail_at = packed.count / 2;
  STATUS(SWZ_FAILED, swz_pack_callback(stream_read, &from, source.count, stream_write, &to, NULL, NULL, &said));
  to.position = 0, to.fail_at = 0, from.fail_at = source.count / 2;
  STATUS(SWZ_FAILED, swz_pack_callback(stream_read, &from, source.count, stream_write, &to, NULL, NULL, &said));
  from.fail_at = 0; // It ends before it said it would.
  EXPECT(swz_pack_callback(stream_read, &from, source.count + 1, stream_write, &to, NULL, NULL, &said) != SWZ_OK);
  drop(to.content);
}

void test_packing(void) {
  const bytes source = sample(500, 1);
  test_options(source);
  test_sha256(source);
  const bytes packed = pack(source, NULL);
  test_callbacks(source, packed);
  // A target that is too short, by a byte and altogether, and nothing at all.
  size_t written = 0;
  const bytes few = room(packed.count - 1);
  STATUS(SWZ_INVALID_ARGUMENT, swz_pack(source.start, source.count, few.start, few.count, &written, NULL, NULL, &said));
  STATUS(SWZ_INVALID_ARGUMENT, swz_pack(source.start, source.count, few.start, 0, &written, NULL, NULL, &said));
  const bytes empty = pack((bytes){NULL, 0}, NULL);
  STATUS(SWZ_OK, swz_unpack(empty.start, empty.count, NULL, 0, &written, NULL, NULL, &said));
  EXPECT(written == 0);
  drop(source), drop(packed), drop(few), drop(empty);
}

void test_bases(void) {
  const bytes source = sample(500, 2), next = stepped(source), other = sample(500, 3), alone = pack(next, NULL);
  save("base", source);
  save("elsewhere", source);
  save("wrong", other);
  STATUS(SWZ_OK, swz_pack_file("base", "base.swz", NULL, NULL, &said));
  const char *base[] = {"base"}, *elsewhere[] = {"wrong", "elsewhere"}, *packed_base[] = {"base.swz"},
             *wrong[] = {"wrong"}, *missing[] = {"missing"};
  const bytes delta = pack(next, &(swz_pack_options){.size = sizeof(swz_pack_options), .bases = base, .base_count = 1});
  EXPECT(delta.count < alone.count / 4);
  // Found by content: under another name, among others, packed.
  unpacks(delta, next, &(swz_open_options){sizeof(swz_open_options), base, 1}, NULL);
  unpacks(delta, next, &(swz_open_options){sizeof(swz_open_options), elsewhere, 2}, NULL);
  unpacks(delta, next, &(swz_open_options){sizeof(swz_open_options), packed_base, 1}, NULL);
  const bytes back = room(next.count);
  size_t written = 0;
  STATUS(SWZ_BASE, swz_unpack(delta.start, delta.count, back.start, back.count, &written, NULL, NULL, &said));
  STATUS(SWZ_BASE, swz_unpack(delta.start, delta.count, back.start, back.count, &written,
                              &(swz_open_options){sizeof(swz_open_options), wrong, 1}, NULL, &said));
  STATUS(SWZ_FAILED, swz_unpack(delta.start, delta.count, back.start, back.count, &written,
                                &(swz_open_options){sizeof(swz_open_options), missing, 1}, NULL, &said));
  EXPECT(said.system == ENOENT);
  // At random, and pushed.
  swz_container *container = NULL;
  const swz_open_options with = {sizeof with, base, 1};
  STATUS(SWZ_OK, swz_open_memory(delta.start, delta.count, &with, &container, &said));
  STATUS(SWZ_OK, swz_read(container, 0, 777, back.start, 5000, NULL, &said));
  EXPECT(memcmp(back.start, next.start + 777, 5000) == 0);
  swz_close(container);
  swz_decoder *decoder = NULL;
  stream sink = {.content = back};
  STATUS(SWZ_OK, swz_decoder_open(stream_write, NULL, &sink, &with, NULL, &decoder, &said));
  STATUS(SWZ_OK, swz_decoder_push(decoder, delta.start, delta.count, &said));
  STATUS(SWZ_OK, swz_decoder_finish(decoder, NULL, &said));
  EXPECT(sink.position == next.count && equal(back, next));
  swz_decoder_close(decoder);
  drop(source), drop(next), drop(other), drop(alone), drop(delta), drop(back);
}
