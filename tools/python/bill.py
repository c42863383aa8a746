"""What is linked into the library and the command, for the wheel's bill of materials (CycloneDX) and its licences."""

import json
import os
import pathlib
import re
import shutil
import subprocess
from urllib.parse import quote

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Name, licence, and a file of the package of the system that it comes from.
SYSTEM = [
    ("zstd", "BSD-3-Clause", "libzstd.a"),
    ("lz4", "BSD-2-Clause", "liblz4.a"),
    ("openssl", "Apache-2.0", "libcrypto.a"),
    ("xxhash", "BSD-2-Clause", "/usr/include/xxhash.h"),
]
STANDARD_LIBRARY = ("libstdc++", "GPL-3.0-or-later WITH GCC-exception-3.1", "libstdc++.a")


def output(*command):
    """What a command says, or nothing where it is missing or fails."""
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def component(name, licence, version, purl, text):
    """One part; `text`: the file of its licence, as far as the system has one."""
    return {"name": name, "licence": licence, "version": version, "purl": purl, "text": pathlib.Path(text)}


def distribution():
    """"debian", "ubuntu"."""
    return re.search(r'^ID="?([^"\n]*)', pathlib.Path("/etc/os-release").read_text("utf-8"), re.M).group(1)


def system_component(name, licence, file):
    """A library of a Debian or Ubuntu system, by the package that owns its file; elsewhere its version is not known."""
    path = os.path.realpath(output("clang", f"-print-file-name={file}") or file)
    package = output("dpkg-query", "--search", path).split(":")[0]
    version = output("dpkg-query", "--show", "--showformat=${Version}", package) if package else ""
    purl = f"pkg:deb/{distribution()}/{package}@{quote(version, safe='')}" if version else f"pkg:generic/{name}"
    return component(name, licence, version, purl, f"/usr/share/doc/{package}/copyright")


def components(tag):
    """All that a wheel with this tag has linked in; one for older systems has the C++ library inside."""
    swift = re.search(r"Swift version ([\d.]+)", output("swift", "--version")).group(1)
    toolchain = pathlib.Path(os.path.realpath(shutil.which("swiftc"))).parents[1]
    pins = json.loads((ROOT / "Package.resolved").read_text())["pins"]
    parser = next(pin["state"]["version"] for pin in pins if pin["identity"] == "swift-argument-parser")
    found = [
        component("swift", "Apache-2.0 WITH Swift-exception", swift,
                  f"pkg:github/swiftlang/swift@swift-{swift}-RELEASE", toolchain / "share/swift/LICENSE.txt"),
        component("swift-argument-parser", "Apache-2.0 WITH Swift-exception", parser,
                  f"pkg:github/apple/swift-argument-parser@{parser}",
                  ROOT / ".build/checkouts/swift-argument-parser/LICENSE.txt"),
    ]
    found += [system_component(*part) for part in SYSTEM]
    if tag.startswith("manylinux"):
        import ziglang
        from importlib.metadata import version
        zig = version("ziglang")
        found += [system_component(*STANDARD_LIBRARY),
                  component("llvm-libunwind", "Apache-2.0 WITH LLVM-exception", zig, f"pkg:pypi/ziglang@{zig}",
                            pathlib.Path(ziglang.__file__).parent / "lib/libunwind/LICENSE.TXT")]
    return found


def licences(found):
    """The texts of licences, by their place below the wheel's own."""
    texts = {f"{part['name']}/{part['text'].name}": part["text"] for part in found}
    return {place: text.read_bytes() for place, text in texts.items() if text.is_file()}


def cyclonedx(version, found):
    """The bill as CycloneDX 1.5."""
    parts = []
    for part in found:
        known = {"version": part["version"]} if part["version"] else {}
        parts.append({"type": "library", "name": part["name"], **known, "purl": part["purl"],
                      "licenses": [{"expression": part["licence"]}]})
    whole = {"type": "library", "name": "swzip", "version": version, "purl": f"pkg:pypi/swzip@{version}",
             "licenses": [{"expression": "Apache-2.0"}]}
    return json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "metadata": {"component": whole},
                       "components": parts}, indent=1).encode() + b"\n"
