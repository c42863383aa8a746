// The C interface is a header; SwzipABI implements it.
#include "swzip.h"
