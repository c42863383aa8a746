#!/usr/bin/env bash
# Files that the torch of today writes: their tensors as torch sees them, through a file and through a pipe, and a sparse
# file of 5 GiB. Installs torch unless TORCH_PYTHON names a Python that has it.
# shellcheck source=Tests/slow/common.sh
. "$(dirname "$0")/common.sh"
build_swzip
torch_python
"$python" tools/fixtures/torch_files.py "$work/torch" --large
"$python" "$here/torch_files.py" "$swzip" "$work/torch"

large=$work/torch/large.pt
sum=$(sha256sum <"$large")
for way in file pipe; do
  if [ $way = file ]; then
    python3 "$here/peak.py" 128 "$swzip" pack -q -T2 -f -o "$work/packed" "$large"
  else
    # A file on stdin could be read at random; a pipe cannot.
    # shellcheck disable=SC2002
    cat "$large" | python3 "$here/peak.py" 128 "$swzip" -c -T2 >"$work/packed"
  fi
  "$swzip" list -v "$work/packed" | grep -q '1310720.*2048.* large$' || die "$way: the large tensor is not known"
  back=$("$swzip" unpack -c -T2 "$work/packed" | sha256sum)
  [ "$back" = "$sum" ] || die "$way: other bytes come back"
done
