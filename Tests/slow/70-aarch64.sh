#!/usr/bin/env bash
# The C kernels on a 64-bit ARM processor, emulated: digest.c must print there what it prints here at each level.
# shellcheck source=Tests/slow/common.sh
. "$(dirname "$0")/common.sh"
install_packages libxxhash-dev gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user gcc libc6-dev
need_swift # It brings clang and lld.
mkdir "$work/include" # A header that is the same everywhere.
cp /usr/include/xxhash.h /usr/include/xxh3.h "$work/include"
sources=(Tests/slow/digest.c Sources/CSwzipKernels/*.c)
flags=(-std=c17 -O2 -Wall -Wextra -Wno-unused-command-line-argument -fuse-ld=lld -I Sources/CSwzipKernels/include)
clang "${flags[@]}" "${sources[@]}" -o "$work/here"
clang "${flags[@]}" --target=aarch64-linux-gnu --sysroot=/usr/aarch64-linux-gnu --gcc-toolchain=/usr -static \
  -isystem "$work/include" -isystem /usr/aarch64-linux-gnu/include -L /usr/aarch64-linux-gnu/lib "${sources[@]}" -o "$work/there"
timeout -k 5 300 qemu-aarch64 "$work/there" >"$work/there.txt"
echo "aarch64: $(wc -l <"$work/there.txt") digests, the last is $(tail -n 1 "$work/there.txt")"
for level in 0 1 2; do
  status=0
  "$work/here" $level >"$work/here.txt" || status=$?
  if [ $status -eq 3 ]; then
    echo "level $level: not on this processor"
    continue
  fi
  [ $status -eq 0 ] || die "level $level: $(tail -n 1 "$work/here.txt")"
  diff "$work/here.txt" "$work/there.txt" || die "level $level makes other bytes here"
  echo "level $level: the same"
done
