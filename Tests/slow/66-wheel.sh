#!/usr/bin/env bash
# The wheel as people get it: for glibc 2.17, and at work in a new environment of every CPython here.
# shellcheck source=Tests/slow/common.sh
. "$(dirname "$0")/common.sh"
tools/wheel --check
