// Unpacking: in memory, pushed in pieces, to files; damage.
#include "abi.h"

#include <sys/stat.h>

void test_unpacking(void) {
  const bytes source = sample(500, 5), packed = pack(source, NULL), larger = room(source.count + 100);
  uint64_t count = 0;
  STATUS(SWZ_OK, swz_decoded_byte_count(packed.start, packed.count, &count, &said));
  EXPECT(count == source.count);
  for (int check = 0; check < 2; check++)
    for (int threads = 0; threads < 3; threads++)
      unpacks(packed, source, NULL, &(swz_call){.size = sizeof(swz_call), .threads = threads, .check = check});
  memset(larger.start, 0xa5, larger.count);
  size_t written = 0;
  STATUS(SWZ_OK, swz_unpack(packed.start, packed.count, larger.start, larger.count, &written, NULL, NULL, &said));
  EXPECT(written == source.count && memcmp(larger.start, source.start, written) == 0);
  for (size_t i = written; i < larger.count; i++) EXPECT(larger.start[i] == 0xa5);
  const bytes few = room(source.count - 1);
  STATUS(SWZ_INVALID_ARGUMENT,
         swz_unpack(packed.start, packed.count, few.start, few.count, &written, NULL, NULL, &said));
  STATUS(SWZ_INVALID_ARGUMENT, swz_unpack(packed.start, packed.count, NULL, 0, &written, NULL, NULL, &said));
  drop(source), drop(packed), drop(larger), drop(few);
}

static int push(swz_decoder *decoder, bytes packed, size_t piece) {
  int status = SWZ_OK;
  for (size_t at = 0; at < packed.count && status == SWZ_OK; at += piece) {
    const size_t count = packed.count - at < piece ? packed.count - at : piece;
    const bytes copy = room(count); // What is pushed need not outlive the call.
    memcpy(copy.start, packed.start + at, count);
    status = swz_decoder_push(decoder, copy.start, count, &said);
    drop(copy);
  }
  return status;
}

// What pushing all and finishing come to.
static int decode(bytes packed, size_t piece, stream *sink) {
  swz_decoder *decoder = NULL;
  swz_call *call = malloc(sizeof *call); // It is copied.
  *call = (swz_call){.size = sizeof *call, .threads = 2};
  STATUS(SWZ_OK, swz_decoder_open(stream_write, NULL, sink, NULL, call, &decoder, &said));
  memset(call, 0xff, sizeof *call);
  free(call);
  uint64_t count = 0;
  int status = push(decoder, packed, piece);
  if (status == SWZ_OK) status = swz_decoder_finish(decoder, &count, &said);
  EXPECT(status != SWZ_OK || count == sink->position);
  swz_decoder_close(decoder);
  return status;
}

void test_decoder(void) {
  const bytes source = sample(200, 6), packed = pack(source, NULL), back = room(source.count);
  const size_t pieces[] = {1, 2, 1000, packed.count};
  for (int i = 0; i < 4; i++) {
    stream sink = {.content = back};
    memset(back.start, 0, back.count);
    STATUS(SWZ_OK, decode(packed, pieces[i], &sink));
    EXPECT(sink.position == source.count && equal(back, source));
  }
  // Cut short, followed by more, damaged, refused by its sink, and left alone in the middle.
  for (size_t count = 0; count < packed.count; count += packed.count / 40) {
    stream sink = {.content = back};
    STATUS(SWZ_DAMAGED, decode((bytes){packed.start, count}, 1000, &sink));
    EXPECT(memcmp(back.start, source.start, sink.position) == 0);
  }
  const bytes longer = room(packed.count + 1);
  memcpy(longer.start, packed.start, packed.count);
  longer.start[packed.count] = 0;
  stream sink = {.content = back};
  STATUS(SWZ_DAMAGED, decode(longer, 1000, &sink));
  for (size_t at = packed.count / 50; at < packed.count; at += packed.count / 20) {
    sink = (stream){.content = back};
    packed.start[at] ^= 4;
    EXPECT(decode(packed, 1000, &sink) != SWZ_OK && memcmp(back.start, source.start, sink.position) == 0);
    packed.start[at] ^= 4;
  }
  sink = (stream){.content = back, .fail_at = 1};
  STATUS(SWZ_FAILED, decode(packed, 1000, &sink));
  swz_decoder *decoder = NULL;
  sink = (stream){.content = back};
  STATUS(SWZ_OK, swz_decoder_open(stream_write, NULL, &sink, NULL, NULL, &decoder, &said));
  STATUS(SWZ_OK, swz_decoder_push(decoder, packed.start, packed.count / 2, &said));
  swz_decoder_close(decoder);
  drop(source), drop(packed), drop(back), drop(longer);
}

// Two tensors of equal values, of which one is stored.
static bytes repeated(void) {
  static const char header[] = "{\"a\":{\"dtype\":\"F32\",\"shape\":[40000],\"data_offsets\":[0,160000]},"
                               "\"b\":{\"dtype\":\"F32\",\"shape\":[40000],\"data_offsets\":[160000,320000]}}  ";
  const uint64_t length = sizeof header - 1;
  const bytes file = room(8 + length + 320000);
  memcpy(file.start, &length, 8);
  memcpy(file.start + 8, header, length);
  unsigned char *first = file.start + 8 + length;
  unsigned state = 1;
  for (size_t i = 0; i < 160000; i++) {
    state = state * 1103515245 + 12345;
    first[i] = (unsigned char)(i % 4 == 3 ? 60 + (state >> 16) % 3 : state >> 16);
  }
  memcpy(first + 160000, first, 160000);
  return file;
}

void test_read_back(void) {
  const bytes source = repeated(), packed = pack(source, NULL), back = room(source.count);
  EXPECT(packed.count < source.count / 2);
  for (int reads = 0; reads < 2; reads++) {
    stream sink = {.content = back};
    swz_decoder *decoder = NULL;
    STATUS(SWZ_OK, swz_decoder_open(stream_write, reads ? stream_read : NULL, &sink, NULL, NULL, &decoder, &said));
    int status = push(decoder, packed, 777);
    if (status == SWZ_OK) status = swz_decoder_finish(decoder, NULL, &said);
    EXPECT(status == (reads ? SWZ_OK : SWZ_REFUSED) && (reads || strcmp(said.rule, "notRandomAccess") == 0));
    EXPECT(!reads || (sink.position == source.count && equal(back, source)));
    swz_decoder_close(decoder);
  }
  drop(source), drop(packed), drop(back);
}

void test_files(void) {
  const bytes source = sample(500, 7);
  save("file", source);
  if (chmod("file", 0640)) abort();
  STATUS(SWZ_OK, swz_pack_file("file", "file.swz", NULL, NULL, &said));
  STATUS(SWZ_OK, swz_verify("file.swz", NULL, NULL, &said));
  swz_container *container = NULL;
  swz_member member = {.size = sizeof member};
  STATUS(SWZ_OK, swz_open("file.swz", NULL, &container, &said));
  STATUS(SWZ_OK, swz_member_at(container, 0, &member, &said));
  EXPECT(member.mode == -1); // The container of a file has its mode and times, not the member.
  swz_close(container);
  // What was there is replaced, or stays as it was.
  save("out", (bytes){(unsigned char *)"before", 6});
  STATUS(SWZ_OK, swz_unpack_file("file.swz", "out", NULL, NULL, &said));
  bytes back = load("out");
  struct stat made, original;
  EXPECT(equal(back, source) && stat("out", &made) == 0 && stat("file", &original) == 0);
  EXPECT((made.st_mode & 07777) == 0640 && made.st_mtim.tv_sec == original.st_mtim.tv_sec &&
         made.st_mtim.tv_nsec == original.st_mtim.tv_nsec);
  drop(back);
  const bytes packed = load("file.swz");
  packed.start[packed.count / 2] ^= 1;
  save("bad.swz", packed);
  save("out", (bytes){(unsigned char *)"before", 6});
  const int before = entries();
  STATUS(SWZ_DAMAGED, swz_verify("bad.swz", NULL, NULL, &said));
  EXPECT(strcmp(said.file, "bad.swz") == 0 && said.position != SWZ_NO_POSITION);
  STATUS(SWZ_DAMAGED, swz_unpack_file("bad.swz", "out", NULL, NULL, &said));
  back = load("out");
  EXPECT(back.count == 6 && memcmp(back.start, "before", 6) == 0 && entries() == before);
  STATUS(SWZ_FAILED, swz_unpack_file("file.swz", "no/such/folder", NULL, NULL, &said));
  STATUS(SWZ_FAILED, swz_pack_file("missing", "missing.swz", NULL, NULL, &said));
  EXPECT(said.system == ENOENT && strcmp(said.file, "missing") == 0 && entries() == before);
  drop(source), drop(packed), drop(back);
}

// Reading a file's blocks at random sees what they need of the container: an error, or the right bytes. Verifying sees
// all.
static void refuse(bytes container, bytes source, bytes back) {
  size_t written = 0;
  for (int policy = 0; policy < 2; policy++) {
    const swz_call call = {.size = sizeof call, .threads = 1, .check = policy};
    const int status =
        swz_unpack(container.start, container.count, back.start, back.count, &written, NULL, &call, &said);
    EXPECT(status != SWZ_OK || (written == source.count && equal(back, source)));
    EXPECT(status == SWZ_OK || status == SWZ_DAMAGED || status == SWZ_UNSUPPORTED);
  }
  save("damaged.swz", container);
  const int status = swz_verify("damaged.swz", NULL, NULL, &said);
  EXPECT(status == SWZ_DAMAGED || status == SWZ_UNSUPPORTED);
  EXPECT(said.code == status && said.rule[0] && said.text[0] && !strchr(said.text, '\n'));
}

// Each byte of both ends, and many between, is changed; the container is cut everywhere.
void test_damage(void) {
  const bytes source = sample(200, 8), packed = pack(source, NULL), back = room(source.count);
  const size_t end = packed.count - 100;
  for (size_t at = 0; at < packed.count; at += at < 100 || at > end ? 1 : packed.count / 97) {
    packed.start[at] ^= (unsigned char)(1 << at % 8);
    refuse(packed, source, back);
    packed.start[at] ^= (unsigned char)(1 << at % 8);
  }
  for (size_t count = 0; count < packed.count; count += count < 100 || count > end ? 1 : packed.count / 31) {
    const bytes cut = room(count);
    memcpy(cut.start, packed.start, count);
    refuse(cut, source, back);
    drop(cut);
  }
  unpacks(packed, source, NULL, NULL);
  drop(source), drop(packed), drop(back);
}
