// The incremental SHA-256 of libcrypto alone: three functions, so that a static link takes a few objects only.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
