"""The C library (swzip.h) by ctypes: its structs, its errors, and how a call runs."""

from __future__ import annotations

import ctypes
import functools
import os
from ctypes import POINTER, c_char, c_char_p, c_int, c_int64, c_size_t, c_ssize_t, c_uint64, c_void_p
from types import GeneratorType
from typing import Any, Callable, Dict, Generator, Optional, Sequence, Union

Path = Union[str, bytes, "os.PathLike[Any]"]
Progress = Optional[Callable[[int], Any]]
Bases = Union[Path, Sequence[Path]]

OK, FAILED, REFUSED, DAMAGED, BASE, INVALID_ARGUMENT, NO_MEMORY = 0, 1, 2, 3, 4, 64, 75
NO_POSITION = 2**64 - 1


class SwzipError(Exception):
    """What is wrong, in one line. `code` is a status of swzip.h, `rule` what must hold and does not ("" if it has no
    name), `position` a place in the container or None, `file` a path or None, `system` an errno or 0."""

    def __init__(self, text: str, code: int = INVALID_ARGUMENT, rule: str = "argument", position: Optional[int] = None,
                 file: Optional[str] = None, system: int = 0):
        super().__init__(f"{file}: {text}" if file else text)
        self.code, self.rule, self.position, self.file, self.system = code, rule, position, file, system

    def within(self, file: str) -> "SwzipError":
        """The same, of a file that the library did not know by name."""
        return type(self)(str(self), self.code, self.rule, self.position, file, self.system)


class DamagedError(SwzipError):
    """The container is damaged, cut short, or none at all."""


class BaseError(SwzipError):
    """A base that the container needs is missing, or another one was given."""


class Sized(ctypes.Structure):
    """A struct that begins with its size."""

    def __init__(self, **fields: Any):
        super().__init__(size=ctypes.sizeof(self), **fields)


class ErrorStruct(Sized):
    _fields_ = [("size", c_size_t), ("code", c_int), ("system", c_int), ("position", c_uint64), ("rule", c_char * 32),
                ("file", c_char * 1024), ("text", c_char * 1024)]

    def exception(self, status: int) -> Exception:
        text, file = self.text.decode(errors="replace"), os.fsdecode(self.file) or None
        if status == NO_MEMORY:
            return MemoryError(text)
        if status == FAILED and self.system:
            return OSError(self.system, text or os.strerror(self.system), file)
        position = None if self.position == NO_POSITION else self.position
        kind = {DAMAGED: DamagedError, BASE: BaseError}.get(status, SwzipError)
        return kind(text, status, self.rule.decode(), position, file, self.system)


# A progress function whose context is a generator, to which it sends the bytes that are done. Not a Python function:
# Python runs the handlers of signals where a function begins, before any `try` of its own, but a generator goes on
# inside of one.
SEND = ctypes.CFUNCTYPE(c_int, ctypes.py_object, c_uint64)(GeneratorType.send)


class CallStruct(Sized):
    _fields_ = [("size", c_size_t), ("threads", c_int), ("check", c_int), ("progress", type(SEND)),
                ("progress_context", c_void_p), ("cancel", c_void_p), ("run", c_void_p), ("run_context", c_void_p)]


class OpenOptions(Sized):
    _fields_ = [("size", c_size_t), ("bases", POINTER(c_char_p)), ("base_count", c_size_t)]


# A warning function whose context is a list, to which it adds the line.
KEEP = ctypes.CFUNCTYPE(None, ctypes.py_object, c_char_p)(list.append)


class PackOptions(Sized):
    _fields_ = [("size", c_size_t), ("level", c_int), ("sha256", c_int), ("no_verify", c_int), ("format", c_char_p),
                ("bases", POINTER(c_char_p)), ("base_count", c_size_t), ("warn", type(KEEP)), ("warn_context", c_void_p)]


class AddOptions(Sized):
    _fields_ = [("size", c_size_t), ("step", POINTER(c_uint64)), ("level", c_int), ("max_depth", c_int),
                ("stands_alone", c_int), ("as_is", c_int), ("warn", type(KEEP)), ("warn_context", c_void_p),
                ("part", c_int), ("parts", c_int), ("group", c_char_p)]


class CheckpointStruct(Sized):
    _fields_ = [("size", c_size_t), ("name", c_char * 32), ("id", c_char * 65), ("is_new", c_int), ("step", c_uint64),
                ("byte_count", c_uint64), ("packed_byte_count", c_uint64), ("part_count", c_size_t),
                ("parts_there", c_size_t), ("is_exact", c_int)]


ERROR, CALL, OPTIONS, NEW_HANDLE = c_void_p, c_void_p, c_void_p, c_void_p  # addresses of such
BYTES, ROOM, WRITTEN = [c_void_p, c_size_t], [c_void_p, c_size_t], POINTER(c_size_t)
READ_AT = ctypes.CFUNCTYPE(c_int64, c_void_p, c_uint64, c_void_p, c_size_t)
SIGNATURES = {
    "swz_version": [],
    "swz_diagnose": [*ROOM, ERROR],
    "swz_open": [c_char_p, OPTIONS, NEW_HANDLE, ERROR],
    "swz_open_memory": [*BYTES, OPTIONS, NEW_HANDLE, ERROR],
    "swz_open_callback": [READ_AT, c_void_p, c_uint64, OPTIONS, NEW_HANDLE, ERROR],
    "swz_describe": [c_void_p, POINTER(c_char_p), ERROR],
    "swz_read": [c_void_p, c_size_t, c_uint64, *ROOM, CALL, ERROR],
    "swz_close": [c_void_p],
    "swz_decoded_byte_count": [*BYTES, POINTER(c_uint64), ERROR],
    "swz_unpack": [*BYTES, *ROOM, WRITTEN, OPTIONS, CALL, ERROR],
    "swz_unpack_file": [c_char_p, c_char_p, OPTIONS, CALL, ERROR],
    "swz_verify": [c_char_p, OPTIONS, CALL, ERROR],
    "swz_pack_bound": [c_size_t],
    "swz_pack": [*BYTES, *ROOM, WRITTEN, OPTIONS, CALL, ERROR],
    "swz_pack_file": [c_char_p, c_char_p, OPTIONS, CALL, ERROR],
    "swz_snapshot_open": [*BYTES, NEW_HANDLE, ERROR],
    "swz_snapshot_encode": [c_void_p, *BYTES, *ROOM, WRITTEN, OPTIONS, CALL, ERROR],
    "swz_snapshot_apply": [c_void_p, *BYTES, CALL, ERROR],
    "swz_snapshot_bytes": [c_void_p, POINTER(c_size_t)],
    "swz_snapshot_close": [c_void_p],
    "swz_archive_create": [c_char_p, ERROR],
    "swz_archive_add": [c_char_p, c_char_p, c_void_p, OPTIONS, CALL, ERROR],
    "swz_archive_list": [c_char_p, NEW_HANDLE, ERROR],
    "swz_listing_json": [c_void_p],
    "swz_listing_close": [c_void_p],
    "swz_archive_open": [c_char_p, c_char_p, c_size_t, type(KEEP), c_void_p, NEW_HANDLE, c_void_p, ERROR],
    "swz_archive_tag": [c_char_p, c_char_p, c_char_p, ERROR],
    "swz_archive_forget": [c_char_p, c_char_p, ERROR],
}
RESULTS = {"swz_version": c_char_p, "swz_pack_bound": c_size_t, "swz_snapshot_bytes": c_void_p, "swz_close": None,
           "swz_snapshot_close": None, "swz_listing_json": c_char_p,
           "swz_listing_close": None}  # All others give a status.


@functools.lru_cache(maxsize=None)
def _library() -> ctypes.CDLL:
    """The library beside this package, or that which SWZIP_LIBRARY names. Its calls release the GIL."""
    beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), "libswzip_c.so")
    path = os.environ.get("SWZIP_LIBRARY") or beside
    try:
        return ctypes.CDLL(path)
    except OSError as error:
        raise ImportError(f"swzip's library cannot be loaded: {error} (SWZIP_LIBRARY may say where it is)") from None


@functools.lru_cache(maxsize=None)
def function(name: str) -> Any:
    """A function of the library, with its signature."""
    found = getattr(_library(), name)
    found.argtypes, found.restype = SIGNATURES[name], RESULTS.get(name, c_int)
    return found


def version() -> str:
    """The library's version: "0.2.0"."""
    return function("swz_version")().decode()


def call(name: str, *arguments: Any) -> None:
    """Calls a function that can fail, and raises what it says."""
    error = ErrorStruct()
    status = function(name)(*arguments, ctypes.addressof(error))
    if status != OK:
        raise error.exception(status)


def call_apart(function: Callable[[], None]) -> None:
    """Calls a function in a thread of its own, so that an interrupt ends waiting for a server. The function has to hold
    all that it uses."""
    import threading
    from concurrent.futures import Future

    done: Future = Future()

    def work() -> None:
        try:
            done.set_result(function())
        except BaseException as error:
            done.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    done.result()


def call_long(name: str, *arguments: Any, threads: int = 0, progress: Progress = None, is_short: bool = False) -> None:
    """Calls a function that takes a swz_call. What `progress` or a handler of a signal raises meanwhile
    (KeyboardInterrupt) ends the call and comes out of it; one that is short is not listened to, which saves some
    microseconds."""
    if is_short:
        return call(name, *arguments, ctypes.byref(CallStruct(threads=threads)) if threads else None)
    raised: list = []
    listener = _listen(progress, raised)
    next(listener)
    options = CallStruct(threads=threads, progress=SEND, progress_context=id(listener))
    try:
        call(name, *arguments, ctypes.addressof(options))
    finally:
        if raised:
            raise raised[0] from None


def _listen(progress: Progress, raised: list) -> Generator[int, int, None]:
    """Takes the bytes that are done and answers whether to end the call."""
    try:
        while True:
            done = yield 0
            if progress is not None:
                progress(done)
    except GeneratorExit:
        raise
    except BaseException as error:
        raised.append(error)
    while True:
        yield 1


def doctor() -> Dict[str, Any]:
    """What is used on this machine, and what a self-test of seconds finds: "version", "format", "kernels",
    "processors", "copy_rate", "pack_rates" and "unpack_rates" (bytes a second) and "faults", a list, empty if all is
    right."""
    import json

    text = ctypes.create_string_buffer(1 << 16)
    call("swz_diagnose", text, len(text))
    return json.loads(text.value)


class Handle(ctypes.c_void_p):
    """A handle of the library, which is closed when nobody refers to it any longer, a reader in another thread
    included."""

    close_name = ""
    owner: Any = None  # what the handle needs as long as it lives

    def __del__(self) -> None:
        if self.value:
            function(self.close_name)(self)


class PyBuffer(ctypes.Structure):
    """Python's Py_buffer."""

    _fields_ = [("buf", c_void_p), ("obj", c_void_p), ("len", c_ssize_t), ("itemsize", c_ssize_t), ("readonly", c_int),
                ("ndim", c_int), ("format", c_void_p), ("shape", c_void_p), ("strides", c_void_p),
                ("suboffsets", c_void_p), ("internal", c_void_p)]


ctypes.pythonapi.PyObject_GetBuffer.argtypes = [ctypes.py_object, POINTER(PyBuffer), c_int]
ctypes.pythonapi.PyBuffer_Release.argtypes = [POINTER(PyBuffer)]
ctypes.pythonapi.PyBuffer_Release.restype = None


class memory:
    """Address and length in bytes of what has the buffer protocol, or of a torch tensor; contiguous, never a copy. It
    keeps its size and place until the end of the block, or until this object is dropped."""

    def __init__(self, thing: Any, writable: bool = False):
        self._view = PyBuffer()
        if hasattr(thing, "data_ptr"):
            if thing.device.type != "cpu" or not thing.is_contiguous():
                raise SwzipError("a tensor must be contiguous and in the memory of the processor")
            self._place = thing.data_ptr(), thing.numel() * thing.element_size()
        else:
            ctypes.pythonapi.PyObject_GetBuffer(thing, self._view, writable)
            self._place = self._view.buf, self._view.len

    def __enter__(self) -> tuple:
        return self._place

    def __exit__(self, *_: Any) -> None:
        ctypes.pythonapi.PyBuffer_Release(self._view)

    __del__ = __exit__


def path_bytes(path: Path) -> bytes:
    """A path as C takes it."""
    encoded = os.fsencode(path)
    if b"\0" in encoded:
        raise ValueError("a path cannot have a zero byte in it")
    return encoded


def is_url(path: str) -> bool:
    """Whether a path is a URL, by how it begins."""
    return path.lower().startswith(("http://", "https://"))


def base_fields(bases: Bases) -> dict:
    """The fields of options that name bases."""
    paths = [bases] if isinstance(bases, (str, bytes, os.PathLike)) else list(bases)
    return {"bases": (c_char_p * len(paths))(*map(path_bytes, paths)), "base_count": len(paths)}
