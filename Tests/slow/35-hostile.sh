#!/usr/bin/env bash
# The worst legal containers of each codec verify within time and memory, and every verb within the memory that is promised.
# shellcheck source=Tests/slow/common.sh
. "$(dirname "$0")/common.sh"
build_swzip
make_venv .venv-test
install_python .venv-test zstandard lz4 xxhash
SWZIP=$swzip tools/hostile
SWZIP=$swzip tools/memory --small 1 4
