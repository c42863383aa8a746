"""Makes the wheel of the Python package, the C library and the command, with the standard library alone.

As the build backend of pyproject.toml it builds both with tools/install. tools/wheel links them for older systems and
calls it with what it has linked: backend.py COMMAND LIBRARY TAG FOLDER."""

import base64
import hashlib
import pathlib
import subprocess
import sys
import sysconfig
import tempfile
import zipfile

import bill

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def project():
    """What pyproject.toml says of the project."""
    try:
        import tomllib
    except ImportError:
        import tomli as tomllib
    return tomllib.loads((HERE / "pyproject.toml").read_text("utf-8"))["project"]


def metadata(version, licences):
    """The text of METADATA."""
    said = project()
    lines = ["Metadata-Version: 2.4", f"Name: {said['name']}", f"Version: {version}", f"Summary: {said['description']}",
             f"Keywords: {','.join(said['keywords'])}", f"License-Expression: {said['license']}",
             f"Requires-Python: {said['requires-python']}"]
    lines += [f"Classifier: {line}" for line in said["classifiers"]]
    lines += [f"License-File: {name}" for name in sorted(licences)]
    return "\n".join(lines) + "\n"


def entry_points():
    """The text of entry_points.txt: what other packages find of this one."""
    groups = project()["entry-points"]
    return "\n".join(f"[{group}]\n" + "".join(f"{name} = {place}\n" for name, place in groups[group].items())
                     for group in sorted(groups))


def make_wheel(command, library, tag, folder):
    """Writes the wheel into the folder and returns its name. The same parts make the same bytes."""
    version = subprocess.run([command, "--version"], check=True, capture_output=True, text=True).stdout.split()[1]
    name = f"swzip-{version}"
    components = bill.components(tag)
    licences = {"LICENSE": (ROOT / "LICENSE").read_bytes(), **bill.licences(components)}
    info = f"{name}.dist-info"
    files = {f"swzip/{path.relative_to(HERE / 'swzip').as_posix()}": path.read_bytes()
             for path in (HERE / "swzip").rglob("*") if path.suffix in (".py", ".pyi", ".typed")}
    files["swzip/libswzip_c.so"] = pathlib.Path(library).read_bytes()
    files[f"{name}.data/scripts/swzip"] = pathlib.Path(command).read_bytes()
    files[f"{info}/METADATA"] = metadata(version, licences).encode()
    files[f"{info}/entry_points.txt"] = entry_points().encode()
    files[f"{info}/WHEEL"] = (f"Wheel-Version: 1.0\nGenerator: swzip {version}\nRoot-Is-Purelib: false\n"
                              f"Tag: py3-none-{tag}\n").encode()
    files[f"{info}/sboms/swzip.cdx.json"] = bill.cyclonedx(version, components)
    files.update({f"{info}/licenses/{place}": text for place, text in licences.items()})
    wheel = f"{name}-py3-none-{tag}.whl"
    write_zip(pathlib.Path(folder) / wheel, files, f"{info}/RECORD")
    return wheel


def write_zip(path, files, record):
    """An archive of the files, by name, without times, and the list of their hashes behind them."""
    rows = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files):
            digest = base64.urlsafe_b64encode(hashlib.sha256(files[name]).digest()).rstrip(b"=").decode()
            rows.append(f"{name},sha256={digest},{len(files[name])}\n")
            archive.writestr(entry(name), files[name])
        archive.writestr(entry(record), "".join(rows) + f"{record},,\n")


def entry(name):
    """Mode and place of a file in the archive; all have the first time that a zip can hold."""
    info = zipfile.ZipInfo(name)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.create_system = 3
    info.external_attr = (0o100755 if "/scripts/" in name or name.endswith(".so") else 0o100644) << 16
    return info


# ---- What pip calls


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    tag = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    with tempfile.TemporaryDirectory() as prefix:
        subprocess.run([ROOT / "tools" / "install", "--prefix", prefix], check=True)
        return make_wheel(f"{prefix}/bin/swzip", f"{prefix}/lib/libswzip.so", tag, wheel_directory)


def build_sdist(sdist_directory, config_settings=None):
    raise NotImplementedError("the sources are those of the repository: pip install ./tools/python in a clone")


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit("usage: backend.py COMMAND LIBRARY TAG FOLDER")
    print(make_wheel(*sys.argv[1:]))
