#!/usr/bin/env bash
# Pages of `inspect --html` in a browser: what they say, that nothing leaves them, that they can be read without colour.
# PICTURES=FOLDER keeps pictures of them.
# shellcheck source=Tests/slow/common.sh
. "$(dirname "$0")/common.sh"
build_swzip
install_packages chromium fonts-dejavu-core
make_venv .venv-pages
install_python .venv-pages numpy pillow
.venv-pages/bin/python tools/models.py "$work/models" minilm-bf16
SWZIP=$swzip MODELS=$work/models .venv-pages/bin/python Tests/pages/test_pages.py
