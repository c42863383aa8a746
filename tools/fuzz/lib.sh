# shellcheck shell=bash
# Programs outside the package that see what the library keeps for itself; sourced after tools/lib.sh, in the root.

# build_library FOLDER OPTION...: the library's objects, with the options of swift build. Objects of sources that are
# gone since an earlier build are removed: link_program takes all that are there.
build_library() {
  local folder=$1 object module
  shift
  swift build -c release --target Swzip --scratch-path "$folder" "$@"
  for object in "$folder"/release/*.build/*.o; do
    module=$(basename "$(dirname "$object")" .build)
    [ ! -d "Sources/$module" ] || [ -n "$(find "Sources/$module" -name "$(basename "$object" .o)" -print -quit)" ] || rm "$object"
  done
}

# link_program FOLDER NAME SWIFTC-ARGUMENT...: a program of the Swift sources among the arguments and the library.
link_program() {
  local folder=$1 name=$2 built=$1/release module package flags=()
  shift 2
  # Package access asks for the name that SwiftPM used: that of the folder.
  package=$(grep -o '"-package-name","[^"]*"' "$folder/release.yaml" | grep -v argument | head -n 1 | cut -d '"' -f 4)
  for module in CSwzipKernels CSwzipSystem; do
    flags+=(-Xcc "-fmodule-map-file=$(readlink -f "$built")/$module.build/module.modulemap")
  done
  for module in CZstd CLz4 CCrypto; do flags+=(-Xcc "-fmodule-map-file=$PWD/Sources/$module/module.modulemap"); done
  for module in zstd lz4 crypto; do flags+=(-Xlinker "-l:lib$module.a"); done
  swiftc -O -use-ld=lld -parse-as-library -package-name "$package" -module-name SwzipProgram -I "$built/Modules" \
    "${flags[@]}" "$@" "$built"/{CSwzipKernels,CSwzipSystem,SwzipLibc,SwzipNames,SwzipSystem,SwzipCore,SwzipInputs,Swzip}.build/*.o \
    -o "$folder/$name"
}
