#!/usr/bin/env bash
# Stress.swift with the address and the thread sanitizer, the C interface with the latter, the C kernels with address and
# undefined behaviour.
# SANITIZER_SCRATCH: where they are built (.build, with -asan and -tsan behind).
# shellcheck source=Tests/slow/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=tools/fuzz/lib.sh
. "$root/tools/fuzz/lib.sh"
install_packages "${build_packages[@]}"
need_swift
base=${SANITIZER_SCRATCH:-$root/.build}
failed=()

# quietly COMMAND...: shows what it says only if it fails.
quietly() { "$@" >"$work/log" 2>&1 || { cat "$work/log"; return 1; }; }

stress() {
  local kind=$1 name=$2 folder=$base-$2
  quietly build_library "$folder" "--sanitize=$kind"
  quietly link_program "$folder" stress "-sanitize=$kind" Tests/slow/Stress.swift
  echo "$name:"
  timeout -k 5 300 "$folder/stress" "${3-}" || failed+=("$name")
}

stress address asan 8000000
stress thread tsan 3000000
# It sees only threads that ran at once: a race must be reported, or the silence above means nothing.
if timeout -k 5 60 "$base-tsan/stress" canary >"$work/canary" 2>&1 || ! grep -q 'data race' "$work/canary"; then
  failed+=("tsan is blind")
fi

mkdir "$work/abi"
(cd "$work/abi" && clang -std=c17 -O1 -g -fsanitize=thread -I "$root/Sources/CSwzip/include" -c "$root"/Tests/abi/*.c)
quietly swift build -c release --target SwzipABI --scratch-path "$base-tsan" --sanitize=thread
quietly link_program "$base-tsan" abi -sanitize=thread "$work"/abi/*.o "$base-tsan"/release/{CSwzip,SwzipArchive,SwzipABI}.build/*.o
echo "tsan, C interface:"
timeout -k 5 300 "$base-tsan/abi" "$work/abi" none threads || failed+=("tsan, C interface")

clang -std=c17 -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fuse-ld=lld \
  -I Sources/CSwzipKernels/include Tests/kernels/compare_levels.c Sources/CSwzipKernels/*.c -o "$work/kernels"
echo "kernels:"
timeout -k 5 300 "$work/kernels" || failed+=(kernels)

[ ${#failed[@]} -eq 0 ] || die "findings in: ${failed[*]}"
