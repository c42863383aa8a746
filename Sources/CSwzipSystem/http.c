// The few calls of libcurl that are needed, with the numbers of its options (curl.h): they never change.
#if defined(__linux__)
#define _GNU_SOURCE
#endif
#include "include/swzip_http.h"

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

typedef void CURL;
typedef void CURLM;
struct curl_slist;
struct message { // CURLMsg
  int kind;
  CURL *transfer;
  union {
    void *whatever;
    int result;
  } data;
};

enum { OPTION_OBJECT = 10000, OPTION_FUNCTION = 20000 };
enum option {
  OPTION_LOW_SPEED_LIMIT = 19,
  OPTION_LOW_SPEED_TIME = 20,
  OPTION_NETRC = 51,
  OPTION_FOLLOWLOCATION = 52,
  OPTION_MAXREDIRS = 68,
  OPTION_CONNECTTIMEOUT = 78,
  OPTION_HTTP_VERSION = 84,
  OPTION_BUFFERSIZE = 98,
  OPTION_NOSIGNAL = 99,
  OPTION_PROTOCOLS = 181,
  OPTION_REDIR_PROTOCOLS = 182,
  OPTION_WRITEDATA = OPTION_OBJECT + 1,
  OPTION_URL = OPTION_OBJECT + 2,
  OPTION_ERRORBUFFER = OPTION_OBJECT + 10,
  OPTION_USERAGENT = OPTION_OBJECT + 18,
  OPTION_HTTPHEADER = OPTION_OBJECT + 23,
  OPTION_HEADERDATA = OPTION_OBJECT + 29,
  OPTION_CAINFO = OPTION_OBJECT + 65,
  OPTION_CAPATH = OPTION_OBJECT + 97,
  OPTION_PRIVATE = OPTION_OBJECT + 103,
  OPTION_PROTOCOLS_STR = OPTION_OBJECT + 318, // 7.85
  OPTION_REDIR_PROTOCOLS_STR = OPTION_OBJECT + 319,
  OPTION_WRITEFUNCTION = OPTION_FUNCTION + 11,
  OPTION_HEADERFUNCTION = OPTION_FUNCTION + 79
};
enum { INFO_EFFECTIVE_URL = 0x100000 + 1, INFO_PRIVATE = 0x100000 + 21 };
enum { GLOBAL_ALL = 3, NETRC_OPTIONAL = 1, HTTP_1_1 = 2, HTTP_AND_HTTPS = 3, MESSAGE_DONE = 1 };

static struct {
  int (*global_init)(long flags);
  CURL *(*easy_init)(void);
  int (*easy_setopt)(CURL *, int option, ...);
  int (*easy_getinfo)(CURL *, int info, ...);
  const char *(*easy_strerror)(int result);
  void (*easy_cleanup)(CURL *);
  struct curl_slist *(*slist_append)(struct curl_slist *, const char *);
  void (*slist_free_all)(struct curl_slist *);
  CURLM *(*multi_init)(void);
  int (*multi_add_handle)(CURLM *, CURL *);
  int (*multi_remove_handle)(CURLM *, CURL *);
  int (*multi_perform)(CURLM *, int *running);
  int (*multi_poll)(CURLM *, void *, unsigned, int milliseconds, int *); // 7.66
  struct message *(*multi_info_read)(CURLM *, int *left);
  int (*multi_cleanup)(CURLM *);
} curl;
static int is_there;

static int find(void *library, const char *name, void *function) {
  // A pointer to data for one to a function: POSIX has it so.
  *(void **)function = dlsym(library, name);
  return *(void **)function != NULL;
}

static void load(void) {
  static const char *const names[] = {
#if defined(__APPLE__)
      "libcurl.4.dylib",
#endif
      "libcurl.so.4", "libcurl-gnutls.so.4", "libcurl-nss.so.4"};
  void *library = NULL;
  for (size_t i = 0; library == NULL && i < sizeof names / sizeof *names; i++) library = dlopen(names[i], RTLD_NOW);
  if (library == NULL) return;
#define FIND(name) find(library, "curl_" #name, &curl.name)
  is_there = FIND(global_init) && FIND(easy_init) && FIND(easy_setopt) && FIND(easy_getinfo) && FIND(easy_strerror) &&
             FIND(easy_cleanup) && FIND(slist_append) && FIND(slist_free_all) && FIND(multi_init) &&
             FIND(multi_add_handle) && FIND(multi_remove_handle) && FIND(multi_perform) && FIND(multi_poll) &&
             FIND(multi_info_read) && FIND(multi_cleanup) && curl.global_init(GLOBAL_ALL) == 0;
#undef FIND
}

int swzip_http_is_there(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  (void)pthread_once(&once, load);
  return is_there;
}

struct swzip_http {
  CURLM *multi;
};

struct swzip_transfer {
  CURL *easy;
  struct curl_slist *headers;
  int is_done, result;
  char words[256]; // CURL_ERROR_SIZE
};

// Libraries for TLS may write to a connection that the server has closed: that must not end the process.
struct quiet {
  sigset_t before;
  int was_pending;
};

static int is_pending(void) {
  sigset_t pending;
  return sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
}

static struct quiet hold_pipe_signal(void) {
  struct quiet quiet = {.was_pending = is_pending()};
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, &quiet.before);
  return quiet;
}

static void release_pipe_signal(const struct quiet *quiet) {
  sigset_t pipe;
  int number;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  if (!quiet->was_pending && is_pending()) sigwait(&pipe, &number);
  pthread_sigmask(SIG_SETMASK, &quiet->before, NULL);
}

swzip_http *swzip_http_open(void) {
  if (!swzip_http_is_there()) return NULL;
  swzip_http *http = malloc(sizeof *http);
  if (http == NULL) return NULL;
  http->multi = curl.multi_init();
  if (http->multi != NULL) return http;
  free(http);
  return NULL;
}

void swzip_http_close(swzip_http *http) {
  const struct quiet quiet = hold_pipe_signal();
  (void)curl.multi_cleanup(http->multi);
  release_pipe_signal(&quiet);
  free(http);
}

// The first of two variables that says something: the command `curl` looks at them, libcurl does not.
static const char *variable(const char *name, const char *other) {
  const char *const value = getenv(name);
  if (value != NULL && *value != 0) return value;
  return other != NULL ? variable(other, NULL) : NULL;
}

static int set_up(swzip_transfer *transfer, const struct swzip_request *request) {
  for (const char *const *header = request->headers; *header != NULL; header++) {
    struct curl_slist *longer = curl.slist_append(transfer->headers, *header);
    if (longer == NULL) return 0;
    transfer->headers = longer;
  }
  CURL *const easy = transfer->easy;
  // Versions before 7.85 know the numbers alone.
  if (curl.easy_setopt(easy, OPTION_PROTOCOLS_STR, "http,https") != 0 ||
      curl.easy_setopt(easy, OPTION_REDIR_PROTOCOLS_STR, "http,https") != 0) {
    if (curl.easy_setopt(easy, OPTION_PROTOCOLS, (long)HTTP_AND_HTTPS) != 0 ||
        curl.easy_setopt(easy, OPTION_REDIR_PROTOCOLS, (long)HTTP_AND_HTTPS) != 0)
      return 0;
  }
  const char *const certificates = variable("CURL_CA_BUNDLE", "SSL_CERT_FILE");
  const char *const folder = variable("SSL_CERT_DIR", NULL);
  if (certificates != NULL) (void)curl.easy_setopt(easy, OPTION_CAINFO, certificates);
  if (folder != NULL) (void)curl.easy_setopt(easy, OPTION_CAPATH, folder);
  (void)curl.easy_setopt(easy, OPTION_NETRC, (long)NETRC_OPTIONAL);
  (void)curl.easy_setopt(easy, OPTION_BUFFERSIZE, 64L << 10);
  (void)curl.easy_setopt(easy, OPTION_ERRORBUFFER, transfer->words);
  return curl.easy_setopt(easy, OPTION_URL, request->url) == 0 &&
         curl.easy_setopt(easy, OPTION_HTTPHEADER, transfer->headers) == 0 &&
         curl.easy_setopt(easy, OPTION_USERAGENT, "swzip") == 0 &&
         curl.easy_setopt(easy, OPTION_HEADERFUNCTION, request->head) == 0 &&
         curl.easy_setopt(easy, OPTION_HEADERDATA, request->context) == 0 &&
         curl.easy_setopt(easy, OPTION_WRITEFUNCTION, request->body) == 0 &&
         curl.easy_setopt(easy, OPTION_WRITEDATA, request->context) == 0 &&
         curl.easy_setopt(easy, OPTION_PRIVATE, transfer) == 0 && curl.easy_setopt(easy, OPTION_NOSIGNAL, 1L) == 0 &&
         curl.easy_setopt(easy, OPTION_FOLLOWLOCATION, 1L) == 0 && curl.easy_setopt(easy, OPTION_MAXREDIRS, 10L) == 0 &&
         curl.easy_setopt(easy, OPTION_CONNECTTIMEOUT, 30L) == 0 &&
         // Less than a byte a second, for a minute.
         curl.easy_setopt(easy, OPTION_LOW_SPEED_LIMIT, 1L) == 0 &&
         curl.easy_setopt(easy, OPTION_LOW_SPEED_TIME, 60L) == 0 &&
         // Requests that run at once each have a connection then, and none holds bytes for another.
         curl.easy_setopt(easy, OPTION_HTTP_VERSION, (long)HTTP_1_1) == 0;
}

swzip_transfer *swzip_http_begin(swzip_http *http, const struct swzip_request *request) {
  swzip_transfer *transfer = calloc(1, sizeof *transfer);
  if (transfer == NULL) return NULL;
  transfer->easy = curl.easy_init();
  if (transfer->easy != NULL && set_up(transfer, request) && curl.multi_add_handle(http->multi, transfer->easy) == 0)
    return transfer;
  swzip_transfer_end(http, transfer);
  return NULL;
}

int swzip_http_wait(swzip_http *http, int milliseconds) {
  const struct quiet quiet = hold_pipe_signal();
  int running, left;
  int failed = curl.multi_perform(http->multi, &running);
  for (struct message *message; (message = curl.multi_info_read(http->multi, &left)) != NULL;) {
    char *place = NULL;
    if (message->kind != MESSAGE_DONE) continue;
    (void)curl.easy_getinfo(message->transfer, INFO_PRIVATE, &place);
    swzip_transfer *const transfer = (swzip_transfer *)(void *)place;
    transfer->is_done = 1;
    transfer->result = message->data.result;
    milliseconds = 0; // Who waits for it need not.
  }
  if (failed == 0 && running > 0 && milliseconds > 0) failed = curl.multi_poll(http->multi, NULL, 0, milliseconds, NULL);
  release_pipe_signal(&quiet);
  return failed == 0 ? 0 : -1;
}

int swzip_transfer_state(const swzip_transfer *transfer) {
  if (!transfer->is_done) return SWZIP_TRANSFER_RUNS;
  switch (transfer->result) {
  case 0: return SWZIP_TRANSFER_DONE;
  case 23: return SWZIP_TRANSFER_ENDED; // CURLE_WRITE_ERROR
  case 5:  // the proxy's name, the server's name
  case 6:
  case 7:  // no connection
  case 18: // less than was said
  case 28: // too slow
  case 35: // TLS did not come about
  case 52: // nothing at all
  case 55: // sending, receiving
  case 56: return SWZIP_TRANSFER_BROKEN;
  default: return SWZIP_TRANSFER_FAILED;
  }
}

const char *swzip_transfer_words(const swzip_transfer *transfer) {
  return transfer->words[0] != 0 ? transfer->words : curl.easy_strerror(transfer->result);
}

const char *swzip_transfer_url(const swzip_transfer *transfer) {
  char *url = NULL;
  (void)curl.easy_getinfo(transfer->easy, INFO_EFFECTIVE_URL, &url);
  return url;
}

void swzip_transfer_end(swzip_http *http, swzip_transfer *transfer) {
  const struct quiet quiet = hold_pipe_signal();
  if (transfer->easy != NULL) {
    (void)curl.multi_remove_handle(http->multi, transfer->easy);
    curl.easy_cleanup(transfer->easy);
  }
  curl.slist_free_all(transfer->headers);
  release_pipe_signal(&quiet);
  free(transfer);
}
