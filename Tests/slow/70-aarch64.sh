#!/usr/bin/env bash
# The C kernels on a 64-bit ARM processor, emulated: digest.c must print there at each level what it prints here, and
# compare_levels.c, with traps for undefined behaviour, must find no difference.
# shellcheck source=Tests/slow/common.sh
. "$(dirname "$0")/common.sh"
aarch64_compiler "$work/include"
sources=(-std=c17 -Wall -Wextra -I Sources/CSwzipKernels/include Sources/CSwzipKernels/*.c)
clang -fuse-ld=lld -O2 Tests/slow/digest.c "${sources[@]}" -o "$work/here"
"${aarch64_clang[@]}" -O2 Tests/slow/digest.c "${sources[@]}" -o "$work/there"
"$work/here" 0 >"$work/definition.txt"
echo "$(wc -l <"$work/definition.txt") digests, the last is $(tail -n 1 "$work/definition.txt")"
# digests WHERE COMMAND...: at each level those of the definition.
digests() {
  local level status
  for level in 0 1 2 3; do
    status=0
    timeout -k 5 300 "${@:2}" $level >"$work/level.txt" || status=$?
    [ $status -ne 3 ] || continue # The processor lacks it.
    [ $status -eq 0 ] || die "$1, level $level: $(tail -n 1 "$work/level.txt")"
    diff "$work/definition.txt" "$work/level.txt" || die "$1, level $level: other bytes"
    echo "$1, level $level: the same"
  done
}
digests here "$work/here"
digests aarch64 qemu-aarch64 "$work/there"
"${aarch64_clang[@]}" -O1 -fsanitize=undefined -fsanitize-trap=undefined Tests/kernels/compare_levels.c "${sources[@]}" \
  -o "$work/compare"
timeout -k 5 600 qemu-aarch64 "$work/compare" 1 1
