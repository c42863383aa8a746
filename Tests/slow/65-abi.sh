#!/usr/bin/env bash
# The C interface as it is installed: tools/install to a folder, Tests/abi compiled by what pkg-config says and run, plainly
# and under valgrind; what forks and runs threads plainly alone (threads under a sanitizer too: 60-sanitizers.sh).
# shellcheck source=Tests/slow/common.sh
. "$(dirname "$0")/common.sh"
install_packages valgrind libc6-dbg pkg-config
INSTALL_SCRATCH=$scratch tools/install --prefix "$work/prefix" >"$work/log" 2>&1 || { cat "$work/log"; die "tools/install failed"; }

export PKG_CONFIG_PATH=$work/prefix/lib/pkgconfig
[ "swzip $(pkg-config --modversion swzip)" = "$("$work/prefix/bin/swzip" --version)" ] || die "swzip.pc has another version"
read -ra flags < <(pkg-config --cflags --libs swzip)
clang -std=c17 -O1 -Wall -Wextra -Wconversion -Werror -fuse-ld=lld Tests/abi/*.c "${flags[@]}" -lpthread \
  -Wl,-rpath,"$work/prefix/lib" -o "$work/abi"
others=$(nm -D --defined-only "$work/prefix/lib/libswzip.so" | awk '$2 ~ /[A-Z]/ && $3 !~ /^swz_/ { print $3 }')
[ -z "$others" ] || die "the library exports more than swzip.h: $others"

# With the names that suppressions go by, but not the debug information, which valgrind 3.19 does not understand.
mkdir "$work/named"
strip --strip-debug -o "$work/named/libswzip.so.0" "$scratch/release/libswzip_c.so"

# folder NAME: a new folder with what Tests/abi/main.c asks for.
folder() {
  mkdir -p "$work/$1/folder/sub"
  "$work/abi" "$work/$1/folder/a.safetensors"
  chmod 640 "$work/$1/folder/a.safetensors"
  cp -p "$work/$1/folder/a.safetensors" "$work/$1/folder/sub/b.safetensors"
  ln -s ../a.safetensors "$work/$1/folder/sub/link"
  "$work/prefix/bin/swzip" pack -q "$work/$1/folder" -o "$work/$1/folder.swz"
}

failed=()
for way in plain threads forks valgrind; do
  folder $way
  run=("$work/abi" "$work/$way" folder.swz)
  case $way in
  threads | forks) run+=($way) ;;
  valgrind)
    run=(env LD_LIBRARY_PATH="$work/named" valgrind --quiet --error-exitcode=9 --leak-check=full --show-leak-kinds=definite
      --errors-for-leak-kinds=definite --suppressions=Tests/abi/valgrind.supp "${run[@]}")
    ;;
  esac
  echo "$way:"
  timeout -k 5 600 "${run[@]}" || failed+=("$way")
done
[ ${#failed[@]} -eq 0 ] || die "findings: ${failed[*]}"
