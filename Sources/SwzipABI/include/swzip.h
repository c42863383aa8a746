/* swzip's C interface: memory to memory. Any thread may call any function at any time. */
#ifndef SWZIP_H
#define SWZIP_H
#include <stddef.h>
#ifdef __cplusplus
extern "C" {
#endif

/* Status of a call; swz_status_text says it in words. */
enum {
  SWZ_OK = 0,
  SWZ_FAILED = 1,
  SWZ_REFUSED = 2,
  SWZ_DAMAGED = 3,
  SWZ_BASE = 4,
  SWZ_UNSUPPORTED = 6,
  SWZ_INVALID_ARGUMENT = 64,
  SWZ_NO_MEMORY = 75
};

/* Bytes of memory that packing byte_count bytes needs in its target. */
size_t swz_pack_bound(size_t byte_count);

/* Packs source as a container of one member; *written is its size. Levels 1 to 9. */
int swz_pack(const void *source, size_t byte_count, void *target, size_t capacity, size_t *written, int level,
             int threads);

/* Unpacks the one member of a container; *written is its length. Every block is verified: with loader_policy 0 the
   stored and the decoded hash, with 1 the decoded one. After an error the content of target is open. */
int swz_unpack(const void *container, size_t byte_count, void *target, size_t capacity, size_t *written,
               int loader_policy, int threads);

const char *swz_status_text(int status);

#ifdef __cplusplus
}
#endif
#endif
