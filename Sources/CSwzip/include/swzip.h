/* swzip's C interface: model weights and checkpoints, packed without loss.

   Threads. Any thread may call any function at any time. A swz_container may be read by many threads at once; a
   swz_decoder and a swz_snapshot belong to one at a time. Nothing outlives a call but what its handle remembers: no threads,
   no globals; libcurl, which is loaded to read URLs, has its own. A container may be used in a forked child.
   Lifetime. A handle lives until its _close; what it was opened with (memory, callbacks and their contexts) has to live as
   long. Strings that are handed out live as long as their handle.
   Handles and results that are NULL. Closing NULL does nothing; a number that is handed out (*written, *byte_count) may be
   NULL where nobody wants it, but for swz_find_tensor and swz_decoded_byte_count.
   Results. What can fail returns SWZ_OK or another status, and says in *error, which may be NULL, what, where and in which
   file. After an error the content of a target is open, and nothing else has changed: no half-written file is left.
   Versions. Structs that the caller fills begin with their size, set by the caller, so that they can grow; a struct set to
   zero but for that asks for the defaults. A pointer to options may be NULL. */
#ifndef SWZIP_H
#define SWZIP_H
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

/* "0.2.0": of the library. */
const char *swz_version(void);

/* What is used on this machine, and a self-test of seconds: JSON and a zero byte, at most `capacity` bytes (2,000 do):
   {"version","format","kernels","processors","copy_rate","pack_rates","unpack_rates","faults"}; rates are bytes a second,
   by one thread and by all processors; "faults" is empty if all is right. */
struct swz_error;
int swz_diagnose(char *json, size_t capacity, struct swz_error *error);

/* ---- Errors ---- */

enum {
  SWZ_OK = 0,
  SWZ_FAILED = 1,            /* the system refused something */
  SWZ_REFUSED = 2,           /* nothing is wrong with the data */
  SWZ_DAMAGED = 3,           /* damaged, cut short, or no container */
  SWZ_BASE = 4,              /* a base is missing, or another one */
  SWZ_CANCELLED = 5,         /* the caller ended the call */
  SWZ_UNSUPPORTED = 6,       /* made by a newer version */
  SWZ_INVALID_ARGUMENT = 64, /* asks for something impossible */
  SWZ_NO_MEMORY = 75
};

/* A status in words; the string lives as long as the library. */
const char *swz_status_text(int status);

#define SWZ_NO_POSITION UINT64_MAX

/* What went wrong. Texts end with a zero byte, and are cut where they are too long. */
typedef struct swz_error {
  size_t size;       /* sizeof(swz_error), set by the caller */
  int code;          /* the status */
  int system;        /* errno, where a call of the system failed; else 0 */
  uint64_t position; /* in the container, or SWZ_NO_POSITION */
  char rule[32];     /* what must hold and does not: "frameHash"; for programs */
  char file[1024];   /* "" where it is not known which */
  char text[1024];   /* one line for people, without the file */
} swz_error;

/* ---- How a call runs ---- */

typedef struct swz_call {
  size_t size;
  int threads; /* at most so many, the calling one included; 0: as many as the process has processors */
  int check;   /* reading containers: SWZ_CHECK_ALL or SWZ_CHECK_DECODED */
  /* Called by the calling thread (with `run`, by one of its threads) at most ten times a second, with the bytes of the
     original that are done, as far as that is known. Not zero ends the call with SWZ_CANCELLED. */
  int (*progress)(void *context, uint64_t done);
  void *progress_context;
  /* Another thread may set it to anything but zero: the call ends with SWZ_CANCELLED. */
  const volatile int *cancel;
  /* Threads of the caller's: calls work(argument, number) for each number below `count`, at once as far as it can, and
     returns when all calls have returned. NULL: threads are made for the call. */
  void (*run)(void *run_context, size_t count, void (*work)(void *argument, size_t number), void *argument);
  void *run_context;
} swz_call;

enum {
  SWZ_CHECK_ALL = 0,    /* the hash of every block as it is stored, and as it is decoded */
  SWZ_CHECK_DECODED = 1 /* the latter alone, as a loader would */
};

/* ---- Reading at random ---- */

typedef struct swz_container swz_container;

/* Files that a container may need as bases, packed or not: found by content, never by name. */
typedef struct swz_open_options {
  size_t size;
  const char *const *bases; /* paths */
  size_t base_count;
} swz_open_options;

/* Copies `count` bytes at `position` to `target`; fewer at the end alone. Returns how many, or -1. Several threads may
   call it at once. */
typedef int64_t (*swz_read_at)(void *context, uint64_t position, void *target, size_t count);

/* Opens a container: its index is read and checked, nothing is decoded. `path` may be a URL, http:// or https://, here, of
   swz_verify and of swz_unpack_file: libcurl is loaded for that, proxies, .netrc and certificates are as it has them,
   CURL_CA_BUNDLE and SSL_CERT_FILE as its command. It is read in ranges, some at once, three times where it does not come; a
   file that changes meanwhile is SWZ_FAILED. */
int swz_open(const char *path, const swz_open_options *options, swz_container **container, swz_error *error);
int swz_open_memory(const void *bytes, size_t byte_count, const swz_open_options *options, swz_container **container,
                    swz_error *error);
int swz_open_callback(swz_read_at read, void *context, uint64_t byte_count, const swz_open_options *options,
                      swz_container **container, swz_error *error);
/* NULL is allowed. */
void swz_close(swz_container *container);

/* One original file in a container. */
typedef struct swz_member {
  size_t size;
  const char *name;    /* "" for a packed file; else relative, with / between folders */
  uint64_t byte_count; /* of the original: what a buffer for it needs */
  const char *link;    /* of a symbolic link, where it leads; else NULL */
  const char *sha256;  /* 64 digits, where it is stored; else NULL */
  int mode;            /* permission bits, or -1: those of a packed file are its container's */
  /* Of the last change: since 1970, counted down before, and forward from there; -1 nanoseconds: not stored. */
  int64_t time_seconds;
  int time_nanoseconds;
} swz_member;

/* A range of a member with a name, a type and a shape. */
typedef struct swz_tensor {
  size_t size;
  const char *name;
  const char *type; /* as in safetensors: "BF16", "F32", "I8" */
  size_t rank;
  const uint64_t *shape; /* `rank` numbers */
  size_t member;
  uint64_t offset; /* in the member */
  uint64_t byte_count;
} swz_tensor;

size_t swz_member_count(swz_container *container);
int swz_member_at(swz_container *container, size_t number, swz_member *member, swz_error *error);
size_t swz_tensor_count(swz_container *container);
int swz_tensor_at(swz_container *container, size_t number, swz_tensor *tensor, swz_error *error);
/* The number of the first tensor of that name; SWZ_INVALID_ARGUMENT and the rule "noSuchTensor" if there is none. */
int swz_find_tensor(swz_container *container, const char *name, size_t *number, swz_error *error);
/* All members and tensors as JSON, for bindings that want them in one call:
   {"members":[{"name","byte_count","link","sha256","mode","time":[seconds,nanoseconds]}],"tensors":[[name,type,shape,member,offset,byte_count]],
    "packed_byte_count","root"} */
int swz_describe(swz_container *container, const char **json, swz_error *error);

/* Any range of a member; the blocks that overlap it are decoded and verified. */
int swz_read(swz_container *container, size_t member, uint64_t offset, void *target, size_t byte_count,
             const swz_call *call, swz_error *error);
/* A tensor; `byte_count` must be its length. */
int swz_read_tensor(swz_container *container, size_t number, void *target, size_t byte_count, const swz_call *call,
                    swz_error *error);
/* Rows `first` to `last`, without that, along its first dimension. */
int swz_read_rows(swz_container *container, size_t number, uint64_t first, uint64_t last, void *target,
                  size_t byte_count, const swz_call *call, swz_error *error);

/* ---- Unpacking ---- */

/* Takes bytes that have been verified, in order. Not zero ends the call with SWZ_FAILED. */
typedef int (*swz_write)(void *context, const void *bytes, size_t byte_count);

/* Unpacks the one member of a container that arrives in pieces of any size, down to a byte. `read_back` reads what was
   written before, which containers need that store once what occurs twice, as most checkpoints do; NULL: those are refused
   with the rule "notRandomAccess". `context` goes to both. `call` is copied; what it points to must live as long as the
   decoder. */
typedef struct swz_decoder swz_decoder;
int swz_decoder_open(swz_write write, swz_read_at read_back, void *context, const swz_open_options *options,
                     const swz_call *call, swz_decoder **decoder, swz_error *error);
int swz_decoder_push(swz_decoder *decoder, const void *bytes, size_t byte_count, swz_error *error);
/* All has been pushed. *byte_count, which may be NULL: of the original. */
int swz_decoder_finish(swz_decoder *decoder, uint64_t *byte_count, swz_error *error);
void swz_decoder_close(swz_decoder *decoder);

/* The length of the original of a container in memory, of one member. */
int swz_decoded_byte_count(const void *container, size_t byte_count, uint64_t *decoded, swz_error *error);
/* Unpacks the one member of a container; *written is its length. With SWZ_CHECK_ALL, the default, any changed byte of the
   container is found. */
int swz_unpack(const void *container, size_t byte_count, void *target, size_t capacity, size_t *written,
               const swz_open_options *options, const swz_call *call, swz_error *error);
/* Unpacks the one member of a container to a file, which gets its name when all of it is verified and on the disk, with
   mode and times of the container; of a URL, for its owner alone. What was there is replaced. */
int swz_unpack_file(const char *container, const char *path, const swz_open_options *options, const swz_call *call,
                    swz_error *error);
/* Decodes everything and compares every hash. */
int swz_verify(const char *container, const swz_open_options *options, const swz_call *call, swz_error *error);

/* ---- Packing ---- */

typedef struct swz_pack_options {
  size_t size;
  int level;                /* 1 to 9; 0: 3 */
  int sha256;               /* not zero: the SHA-256 of the original is stored */
  int no_verify;            /* not zero: blocks are not decoded again after they were encoded */
  const char *format;       /* "safetensors", "gguf", "raw" ...; NULL: found by content */
  const char *const *bases; /* paths: what is packed becomes differences to these where that is smaller */
  size_t base_count;
  /* Told, by the calling thread, what is unusual about what was packed: one line each. Nothing is lost. */
  void (*warn)(void *context, const char *text);
  void *warn_context;
} swz_pack_options;

/* What a target needs for packing so many bytes. */
size_t swz_pack_bound(size_t byte_count);
int swz_pack(const void *source, size_t byte_count, void *target, size_t capacity, size_t *written,
             const swz_pack_options *options, const swz_call *call, swz_error *error);
/* Packs a file or a folder as `swzip pack` does: the container gets its name when all of it is on the disk. A folder takes
   no bases. */
int swz_pack_file(const char *path, const char *container, const swz_pack_options *options, const swz_call *call,
                  swz_error *error);
int swz_pack_callback(swz_read_at read, void *context, uint64_t byte_count, swz_write write, void *write_context,
                      const swz_pack_options *options, const swz_call *call, swz_error *error);

/* ---- Weights that change step by step ---- */

/* The last version of a file, in memory. */
typedef struct swz_snapshot swz_snapshot;
/* Copies a whole file of any kind. */
int swz_snapshot_open(const void *bytes, size_t byte_count, swz_snapshot **snapshot, swz_error *error);
/* Packs `next` as differences to the bytes, which `next` becomes. `target` needs swz_pack_bound. */
int swz_snapshot_encode(swz_snapshot *snapshot, const void *next, size_t byte_count, void *target, size_t capacity,
                        size_t *written, const swz_pack_options *options, const swz_call *call, swz_error *error);
/* Makes the bytes those of a container that `encode` made. */
int swz_snapshot_apply(swz_snapshot *snapshot, const void *container, size_t byte_count, const swz_call *call,
                       swz_error *error);
/* The bytes, until the next call. */
const void *swz_snapshot_bytes(swz_snapshot *snapshot, size_t *byte_count);
void swz_snapshot_close(swz_snapshot *snapshot);

/* ---- The checkpoints of a run ---- */

/* An archive is a folder of immutable containers, one for each checkpoint (`swzip archive`). Nothing of it is remembered: each
   call looks at what is there, and any number of processes, on any machines that see the folder, may work on it at once and be
   killed at any moment. A word names a checkpoint: its step ("900", the last attempt at it), "900@2", "id:" and the first
   digits of its identity, a tag, or "latest", the one of the highest step that can be restored. */

/* Makes an archive of a new or empty folder. */
int swz_archive_create(const char *archive, swz_error *error);

typedef struct swz_add_options {
  size_t size;
  const uint64_t *step; /* NULL: what the name of the path says, "checkpoint-500" */
  int level;            /* 1 to 9; 0: 3 */
  int max_depth;        /* reading it goes through at most so many other containers, 1 to 63; 0: 8 */
  int stands_alone;     /* not zero: it becomes differences to no other one */
  int as_is;            /* not zero: it is added whatever seems to be missing */
  /* Told, by the calling thread, what is unusual: one line each. Nothing is lost. */
  void (*warn)(void *context, const char *text);
  void *warn_context;
  /* Several processes, on any machines and in any order, add the parts of one checkpoint, part 0 to parts - 1; it is complete
     when all are there. Of a folder that all of them see each takes the files that its ranks wrote, by their names, and part 0
     the rest. With a group all of `path` is the part; the group is a word that all parts of one save have and no other save. */
  int part, parts;   /* parts: 2 to 999; 0: the path is all of the checkpoint */
  const char *group; /* NULL: the parts are in one folder */
} swz_add_options;

typedef struct swz_checkpoint {
  size_t size;
  char name[32]; /* "900", or "900@2" */
  char id[65];   /* its identity, 64 digits */
  int is_new;    /* zero: it was there */
  uint64_t step;
  uint64_t byte_count;        /* of its files; of those of the part that was added */
  uint64_t packed_byte_count; /* of its containers; the same */
  size_t part_count;          /* containers that it consists of */
  size_t parts_there;         /* of these; part_count once it is complete */
  int is_exact;               /* zero: reading it gives moments within a bound of what was added, see swz_listing_json */
} swz_checkpoint;

/* Adds a folder with all that is in it, or a file, or a part. When this returns SWZ_OK the checkpoint is on the disk, has been read again
   from there, and decodes to the bytes that were read of `path`. SWZ_REFUSED and the rule "incomplete": something is missing, or
   still being written. `checkpoint` may be NULL. */
int swz_archive_add(const char *archive, const char *path, swz_checkpoint *checkpoint, const swz_add_options *options,
                    const swz_call *call, swz_error *error);

/* What an archive holds, at one moment. */
typedef struct swz_listing swz_listing;
int swz_archive_list(const char *archive, swz_listing **listing, swz_error *error);
/* Checkpoints by step and attempt, without what is forgotten; what lacks a base or parts has no depth and cannot be restored.
   "inexact" are files whose moments of optimizers are within a bound of what was added, in so many tensors; all else is exact:
   {"id","latest","checkpoints":[{"name","id","step","attempt","byte_count","packed_byte_count","files","tensors","depth",
    "bases","tags","container","parts","parts_there","inexact":[{"name","bound","source_sha256","tensors"}]}],
    "unreadable":[{"container","text"}]} */
const char *swz_listing_json(swz_listing *listing);
void swz_listing_close(swz_listing *listing);

/* Opens a part of a checkpoint, 0 for most, as a container of its files, for all calls that read one; what it is differences
   to is found in the archive, and is open too: what others delete meanwhile can be read all the same. `warn`, which may be NULL,
   is told of newer ones that "latest" passed over, because they lack something. `checkpoint` may be NULL.
   Here and for swz_archive_list an archive may be at a URL, where `swzip archive publish` has written what there is. */
int swz_archive_open(const char *archive, const char *word, size_t part, void (*warn)(void *context, const char *text),
                     void *context, swz_container **container, swz_checkpoint *checkpoint, swz_error *error);
/* Names a checkpoint; what had the name loses it. */
int swz_archive_tag(const char *archive, const char *word, const char *tag, swz_error *error);
/* Hides a checkpoint; a later `swzip archive prune` deletes what nothing needs any more. One with a tag, and the last that can
   be restored, are SWZ_REFUSED. */
int swz_archive_forget(const char *archive, const char *word, swz_error *error);

#ifdef __cplusplus
}
#endif
#endif
