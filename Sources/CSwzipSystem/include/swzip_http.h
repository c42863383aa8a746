/* HTTP(S) by libcurl, which is loaded when it is first wanted: nothing is linked, and no header of it is needed. */
#ifndef SWZIP_HTTP_H
#define SWZIP_HTTP_H

#include <stddef.h>

#pragma GCC visibility push(hidden)

/* Connections, and the transfers that use them; of one thread at a time, and never used in a forked child. */
typedef struct swzip_http swzip_http;
typedef struct swzip_transfer swzip_transfer;

struct swzip_request {
  const char *url;
  const char *const *headers; /* "Name: value", the last followed by NULL */
  /* Each takes a piece of what the server sends, heads line by line, those of redirections too. Less than all of it ends the
   * transfer. */
  size_t (*head)(char *bytes, size_t size, size_t count, void *context);
  size_t (*body)(char *bytes, size_t size, size_t count, void *context);
  void *context;
};

/* Whether libcurl is there, 7.66 (2019) or later. */
int swzip_http_is_there(void);

/* NULL: libcurl is not there, or memory is not. */
swzip_http *swzip_http_open(void);
/* After all transfers have been ended. */
void swzip_http_close(swzip_http *http);

/* Begins to GET; what the request points to but the strings must live until the end. NULL: there is no memory. */
swzip_transfer *swzip_http_begin(swzip_http *http, const struct swzip_request *request);
/* Moves all transfers on, and waits for more at most so long. 0, or -1: libcurl cannot. */
int swzip_http_wait(swzip_http *http, int milliseconds);

enum {
  SWZIP_TRANSFER_RUNS,
  SWZIP_TRANSFER_DONE,
  SWZIP_TRANSFER_ENDED, /* by `head` or `body` */
  SWZIP_TRANSFER_BROKEN, /* it may do another time */
  SWZIP_TRANSFER_FAILED  /* it never will */
};
int swzip_transfer_state(const swzip_transfer *transfer);
/* What is wrong, in libcurl's words, and where redirections led; both live as long as the transfer. */
const char *swzip_transfer_words(const swzip_transfer *transfer);
const char *swzip_transfer_url(const swzip_transfer *transfer);
/* Ends it, whatever its state. */
void swzip_transfer_end(swzip_http *http, swzip_transfer *transfer);

#pragma GCC visibility pop

#endif
