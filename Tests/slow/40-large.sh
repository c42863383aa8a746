#!/usr/bin/env bash
# Files above 4 GiB and the memory that they take: a sparse one of 5 GiB and a dense one of 1 GiB, packed and unpacked
# through pipes with two threads; peak memory under 128 MiB each.
# shellcheck source=Tests/slow/common.sh
. "$(dirname "$0")/common.sh"
build_swzip
free=$(df --output=avail -k "$work" | tail -n 1)
[ "$free" -gt $((8 << 20)) ] || die "needs 8 GiB of disk below $(dirname "$work")"

# A header that claims one tensor of the rest; islands of random bytes in a sea of zeros.
large=$work/large.safetensors
bytes=$((5 << 30))
header='{"w":{"dtype":"F32","shape":['$((bytes / 4))'],"data_offsets":[0,'$bytes']}}'
while [ $((${#header} % 8)) -ne 0 ]; do header+=" "; done
printf "\\x$(printf %02x ${#header})\\0\\0\\0\\0\\0\\0\\0%s" "$header" >"$large"
truncate -s $((8 + ${#header} + bytes)) "$large"
for place in 1 700 2047 2048 4095 4096 4097 5100; do
  dd if=/dev/urandom of="$large" bs=1M count=3 seek=$place conv=notrunc status=none
done
truncate -s $((8 + ${#header} + bytes)) "$large"
dense=$work/dense
dd if=/dev/urandom of="$dense" bs=1M count=1024 status=none

# travel NAME FILE: through a pipe and back, compared by checksum on the way.
travel() {
  local name=$1 file=$2 from=$EPOCHREALTIME back
  sum=$(sha256sum <"$file")
  # A file on stdin could be read at random; a pipe cannot.
  # shellcheck disable=SC2002
  back=$(cat "$file" | python3 "$here/peak.py" 128 "$swzip" -c -T2 | tee "$work/packed" |
    python3 "$here/peak.py" 128 "$swzip" -d -c -T2 | sha256sum)
  [ "$back" = "$sum" ] || die "$name: a pipe gives other bytes"
  echo "$name: $(stat -c %s "$file") bytes, packed $(stat -c %s "$work/packed"), $(seconds_since "$from") s"
}

# by_name FILE: the file that travelled last, by name.
by_name() {
  local back
  python3 "$here/peak.py" 128 "$swzip" pack -q -T2 -f -o "$work/packed" "$1"
  back=$(python3 "$here/peak.py" 128 "$swzip" unpack -c -T2 "$work/packed" | sha256sum)
  [ "$back" = "$sum" ] || die "$1: a file gives other bytes"
}

travel sparse "$large"
by_name "$large"
rm "$large"
travel dense "$dense"
