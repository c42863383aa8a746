#!/usr/bin/env bash
# The C kernels on a 64-bit ARM processor, emulated: digest.c must print there at each level what it prints here, and
# compare_levels.c, with traps for undefined behaviour, must find no difference.
# shellcheck source=Tests/slow/common.sh
. "$(dirname "$0")/common.sh"
install_packages libxxhash-dev gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user gcc libc6-dev
need_swift # It brings clang and lld.
mkdir "$work/include" # A header that is the same everywhere.
cp /usr/include/xxhash.h /usr/include/xxh3.h "$work/include"
kernels=(Sources/CSwzipKernels/*.c)
flags=(-std=c17 -Wall -Wextra -Wno-unused-command-line-argument -fuse-ld=lld -I Sources/CSwzipKernels/include)
there=("${flags[@]}" --target=aarch64-linux-gnu --sysroot=/usr/aarch64-linux-gnu --gcc-toolchain=/usr -static
  -isystem "$work/include" -isystem /usr/aarch64-linux-gnu/include -L /usr/aarch64-linux-gnu/lib)
clang "${flags[@]}" -O2 Tests/slow/digest.c "${kernels[@]}" -o "$work/here"
clang "${there[@]}" -O2 Tests/slow/digest.c "${kernels[@]}" -o "$work/there"
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
clang "${there[@]}" -O1 -fsanitize=undefined -fsanitize-trap=undefined Tests/kernels/compare_levels.c "${kernels[@]}" \
  -o "$work/compare"
timeout -k 5 600 qemu-aarch64 "$work/compare" 1 1
