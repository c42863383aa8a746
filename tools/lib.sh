# shellcheck shell=bash
# Functions shared by the scripts of this folder; sourced, never run.

# What building, testing and benchmarking need from a Debian or Ubuntu system, beside Swift.
# shellcheck disable=SC2034
build_packages=(git libzstd-dev liblz4-dev libxxhash-dev libssl-dev)
# shellcheck disable=SC2034
python_packages=(python3 python3-venv)
# shellcheck disable=SC2034
rival_packages=("${python_packages[@]}" python3-dev gcc libc6-dev) # ZipNN is published as source only.

export LC_ALL=C.UTF-8 # Decimal points in times.

say() { printf '%s\n' "$*" >&2; }

die() {
  say "$(basename "$0"): $*"
  exit 1
}

# install_packages PACKAGE...: installs those that are missing; touches nothing when none is.
install_packages() {
  local missing=() package status as_root=()
  if ! command -v dpkg >/dev/null; then
    say "not a Debian or Ubuntu system: make sure these are installed: $*"
    return
  fi
  for package; do
    status=$(dpkg-query --show --showformat='${Status}' "$package" 2>/dev/null) || status=
    [ "$status" = "install ok installed" ] || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "missing packages (run as root, or install sudo): ${missing[*]}"
    as_root=(sudo)
  fi
  say "installing ${missing[*]}"
  "${as_root[@]}" apt-get update -qq >&2 || say "apt-get update failed; trying with the lists at hand"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2 || die "could not install: ${missing[*]}"
}

need_swift() {
  command -v swift >/dev/null || die "swift is missing: get Swift 6.3 or later from https://www.swift.org/install"
}

# aarch64_compiler FOLDER: puts clang for 64-bit ARM processors in $aarch64_clang; qemu-aarch64 runs its programs. Headers that
# are the same on all go to the folder.
aarch64_compiler() {
  install_packages libxxhash-dev gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user gcc libc6-dev
  need_swift # It brings clang and lld.
  mkdir -p "$1"
  cp /usr/include/xxhash.h /usr/include/xxh3.h "$1"
  # shellcheck disable=SC2034
  aarch64_clang=(clang --target=aarch64-linux-gnu --sysroot=/usr/aarch64-linux-gnu --gcc-toolchain=/usr -fuse-ld=lld -static
    -Wno-unused-command-line-argument -isystem "$1" -isystem /usr/aarch64-linux-gnu/include -L /usr/aarch64-linux-gnu/lib)
}

# make_venv FOLDER: a virtual environment, unless one that runs is there.
make_venv() {
  if ! "$1/bin/python" -m pip --version >/dev/null 2>&1; then
    python3 -m venv --clear "$1" || die "cannot make a virtual environment in $1"
  fi
}

# install_python FOLDER [--dependencies] REQUIREMENT...: installs each into the environment, without its dependencies
# unless asked for; one that cannot be had on this system is named and left out.
install_python() {
  local folder=$1 stamp=$1/installed pip requirement output complete=yes
  shift
  pip=("$folder/bin/python" -m pip --disable-pip-version-check install --quiet)
  if [ "${1-}" = --dependencies ]; then
    stamp+=-with-dependencies
    shift
  else
    pip+=(--no-deps)
  fi
  [ "$(cat "$stamp" 2>/dev/null)" != "$*" ] || return 0
  pip+=(--only-binary=:all: --no-binary=zipnn --no-binary=z4ai)
  for requirement; do
    if ! output=$("${pip[@]}" "$requirement" 2>&1); then
      say "left out: $requirement ($(tail -n 1 <<<"$output"))"
      complete=no
    fi
  done
  [ $complete = no ] || echo "$*" >"$stamp"
}

# requirements FILE [NAME...]: its lines without comments; only those of the packages named, if any are.
requirements() {
  local IFS='|'
  grep -E "^(${*:2})" "$1" | grep -v '^#'
}

# seconds_since START: seconds since a value of EPOCHREALTIME.
seconds_since() { awk -v from="$1" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.2f", to - from }'; }
