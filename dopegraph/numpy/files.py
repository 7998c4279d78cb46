"""Files of arrays: ``.npy`` and ``.npz``, text, and raw bytes. MXNet's ``.params`` are in `dopegraph.numpy.params`.

What is written appears whole or not at all; a damaged file is an error that names it, whatever its header claims.
"""

from __future__ import annotations

import inspect
import io
import math
import os
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import numpy
from numpy.lib import format as npy

from dopegraph.array import from_numpy, ndarray, owned
from dopegraph.numpy.creation import dtype_or_default
from dopegraph.numpy.promotion import SUPPORTED, as_array, check_kind
from dopegraph.numpy.stored import FileError, atomic_write, noted
from dopegraph.runtime.device import current_device
from dopegraph.runtime.errors import ShapeError
from dopegraph.runtime.location import here, located

__all__ = ["fromfile", "load", "loadtxt", "save", "savetxt", "savez", "savez_compressed"]

_CHUNK = 1 << 24
# NumPy's from before 1.24 have no limit to a header.
_HAS_LIMIT = "max_header_size" in inspect.signature(npy.read_array_header_1_0).parameters
_MODES = ("r", "r+", "w+", "c", "readonly", "readwrite", "write", "copyonwrite")


def _elements(x: Any, what: str) -> Any:
    """The elements for a file; what arrays cannot be (strings, objects) is NumPy's."""
    if isinstance(x, numpy.ndarray) and x.dtype not in SUPPORTED:
        return x
    return as_array(x)._look("value-escape", what)


def _ours(array: Any) -> Any:
    """An array that was read, on the current device; strings and objects stay NumPy's."""
    if not isinstance(array, (numpy.ndarray, numpy.generic)) or array.dtype.newbyteorder("=") not in SUPPORTED:
        return array
    made = owned(check_kind(numpy.asarray(array)))
    device = current_device()
    return made if device.is_host else made.to(device)


def _path_of(file: Any) -> str:
    return os.fspath(file) if hasattr(file, "__fspath__") or isinstance(file, str) else str(getattr(file, "name", file))


class _Explained:
    """Errors of what is read name the file and the user's line. No generator: its frame would pass for the user's."""

    def __init__(self, name: str, file: Any, kinds: tuple[type[Exception], ...] = (ValueError,)) -> None:
        self.name, self.file, self.kinds = name, file, kinds

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, cause: BaseException | None, traceback: Any) -> None:
        if cause is None or isinstance(cause, (FileError, OSError)):
            return
        if isinstance(cause, EOFError):
            raise EOFError(located(f"{self.name}: {_path_of(self.file)}: {cause}", here())) from cause
        if isinstance(cause, self.kinds):
            raise FileError(located(f"{self.name}: {_path_of(self.file)}: {cause}", here())) from cause


# .npy and .npz ---------------------------------------------------------------------------------------------------


def save(file: Any, arr: Any, allow_pickle: bool = True) -> None:
    """Write an array to a file in NumPy's format ``.npy``.

    Parameters
    ----------
    file : str, path or file object
        To a path ``.npy`` is appended if it is not there; the file appears whole or not at all.
    arr : array_like
    allow_pickle : bool, optional
        Whether NumPy arrays of objects may be written.

    Examples
    --------
    >>> import dopegraph.numpy as np, io
    >>> file = io.BytesIO()
    >>> np.save(file, np.arange(3))
    >>> _ = file.seek(0)
    >>> np.load(file)
    array([0, 1, 2])
    """
    noted("save", "writes a file")
    array = numpy.asanyarray(_elements(arr, "save"))
    if hasattr(file, "write"):
        npy.write_array(file, array, allow_pickle=allow_pickle)
        return
    path = os.fspath(file)
    with atomic_write(path if path.endswith(".npy") else f"{path}.npy") as opened:
        npy.write_array(opened, array, allow_pickle=allow_pickle)


def savez(file: Any, *args: Any, allow_pickle: bool = True, **kwds: Any) -> None:
    """Write several arrays to one file ``.npz``, not compressed; unnamed ones are called ``arr_0``, ``arr_1``, ..."""
    _save_archive("savez", numpy.savez, file, args, allow_pickle, kwds)


def savez_compressed(file: Any, *args: Any, allow_pickle: bool = True, **kwds: Any) -> None:
    """Write several arrays to one compressed file ``.npz``; see `savez`."""
    _save_archive("savez_compressed", numpy.savez_compressed, file, args, allow_pickle, kwds)


def _save_archive(name: str, writer: Any, file: Any, args: Any, allow_pickle: bool, named: dict[str, Any]) -> None:
    noted(name, "writes a file")
    arrays = {key: _elements(x, name) for key, x in named.items()}
    for position, x in enumerate(args):
        key = f"arr_{position}"
        if key in arrays:
            raise ValueError(located(f"{name}: {key} is the name of an unnamed array; use another", here()))
        arrays[key] = _elements(x, name)
    if not allow_pickle and any(numpy.asanyarray(x).dtype.hasobject for x in arrays.values()):
        raise ValueError(located(f"{name}: arrays of objects need allow_pickle=True", here()))
    if hasattr(file, "write"):
        writer(file, **arrays)
        return
    path = os.fspath(file)
    with atomic_write(path if path.endswith(".npz") else f"{path}.npz") as opened:
        writer(opened, **arrays)


def load(
    file: Any, mmap_mode: str | None = None, allow_pickle: bool = False, fix_imports: bool = True,
    encoding: str = "ASCII", *, max_header_size: int = 10000,
) -> Any:  # fmt: skip
    """Read a file that `save`, `savez` or `savez_compressed` wrote, here or in NumPy.

    Parameters
    ----------
    file : str, path or file object
    mmap_mode : {None, "r", "r+", "c"}, optional
        The array stays in the file: elements are read when they are used, with ``"r+"`` writes go to the file.
    allow_pickle : bool, optional
        Whether pickles may be read; they can execute anything, so only from those you trust.
    fix_imports, encoding : optional
        For pickles that Python 2 wrote.
    max_header_size : int, optional
        Longer headers are refused.

    Returns
    -------
    ndarray or Archive
        Of a ``.npz`` a mapping from names to arrays, which are read when asked for; close it or use ``with``.

    Raises
    ------
    ValueError
        When the file is damaged, truncated or of another kind.
    EOFError
        When it is empty.
    """
    noted("load", "reads a file")
    options = {"allow_pickle": allow_pickle, "fix_imports": fix_imports, "encoding": encoding}
    if hasattr(file, "read"):
        return _load(file, file, mmap_mode, options, max_header_size)
    stream = open(os.fspath(file), "rb")  # noqa: SIM115 - an archive keeps it
    found = None
    try:
        found = _load(stream, file, mmap_mode, options, max_header_size)
        return found
    finally:
        if not isinstance(found, Archive):
            stream.close()


def _load(stream: Any, file: Any, mmap_mode: str | None, options: dict[str, Any], max_header_size: int) -> Any:
    with _Explained("load", file, (Exception,)):  # a header is Python's syntax: anything may go wrong with it
        magic = stream.read(len(npy.MAGIC_PREFIX))
        if not magic:
            raise EOFError("there is nothing in the file")
        stream.seek(-len(magic), io.SEEK_CUR)
        if magic.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            return Archive(
                zipfile.ZipFile(stream), stream if stream is not file else None, file, options, max_header_size
            )
        if magic == npy.MAGIC_PREFIX:
            if mmap_mode is not None:
                return _mapped(file, stream, mmap_mode, max_header_size)
            return _ours(_read_array(stream, options, max_header_size))
        if not options["allow_pickle"]:
            raise ValueError("it is neither .npy nor .npz; pickles need allow_pickle=True")
        return _ours(numpy.load(stream, **_limit(max_header_size), **options))


def _limit(max_header_size: int) -> dict[str, int]:
    return {"max_header_size": max_header_size} if _HAS_LIMIT else {}


def _header(stream: Any, max_header_size: int) -> tuple[tuple[int, ...], bool, numpy.dtype[Any]]:
    version = npy.read_magic(stream)
    if version == (2, 0):
        length = int.from_bytes(stream.read(4), "little")
        stream.seek(-4, io.SEEK_CUR)
        if length > max_header_size:  # before memory is taken for it
            raise ValueError(f"its header claims to have {length} bytes; max_header_size allows {max_header_size}")
    readers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    if version == (3, 0):  # as version 2, with a header in UTF-8: names of fields, which numbers do not have
        raise ValueError("it holds records, not numbers")
    if version not in readers:
        raise ValueError(f"version {version} of .npy is not known here")
    shape, fortran, dtype = readers[version](stream, **_limit(max_header_size))
    if any(length < 0 for length in shape):
        raise ValueError(f"its header claims the shape {shape}")
    return shape, fortran, dtype


def _read_array(stream: Any, options: dict[str, Any], max_header_size: int) -> Any:
    """The array at the present place of a stream; memory is taken only for what is there."""
    seekable = not isinstance(stream, zipfile.ZipExtFile) and stream.seekable()
    if seekable:
        start = stream.tell()
        end = stream.seek(0, io.SEEK_END)
        stream.seek(start)
    if stream.read(0) is None:
        raise ValueError("a stream that does not block is not read")
    shape, fortran, dtype = _header(stream, max_header_size)
    if dtype.hasobject:
        if not options["allow_pickle"]:
            raise ValueError("it holds objects; reading them needs allow_pickle=True")
        if not seekable:
            raise ValueError("objects in an archive are not read; use numpy.load")
        stream.seek(start)
        return numpy.load(stream, **_limit(max_header_size), **options)
    wanted = math.prod(shape) * dtype.itemsize
    claim = f"it is truncated: shape {shape} of {dtype} takes {wanted} bytes"
    if seekable and end - stream.tell() < wanted:
        raise ValueError(f"{claim}, {end - stream.tell()} follow")
    data = bytearray(wanted) if seekable else bytearray()
    filled = 0
    while filled < wanted:
        part = stream.read(min(wanted - filled, _CHUNK))
        if not part:
            raise ValueError(f"{claim}, {filled} follow")
        data[filled : filled + len(part)] = part
        filled += len(part)
    return numpy.ndarray(shape, dtype, data, order="F" if fortran else "C")


def _mapped(file: Any, stream: Any, mode: str, max_header_size: int) -> ndarray:
    if not (isinstance(file, str) or hasattr(file, "__fspath__")):
        raise ValueError("only a file with a path can stay in the file: mmap_mode must be None")
    if mode not in _MODES or mode in ("w+", "write"):
        raise ValueError(f"mmap_mode={mode!r} is none of 'r', 'r+' and 'c'")
    shape, fortran, dtype = _header(stream, max_header_size)
    if dtype not in SUPPORTED:
        raise ValueError(f"arrays of {dtype} cannot stay in the file: leave out mmap_mode")
    offset, wanted = stream.tell(), math.prod(shape) * dtype.itemsize
    if os.fstat(stream.fileno()).st_size - offset < wanted:
        raise ValueError(f"it is truncated: shape {shape} of {dtype} takes {wanted} bytes")
    if wanted == 0:
        return owned(numpy.empty(shape, dtype))
    mapped = numpy.memmap(os.fspath(file), dtype, mode, offset, shape, "F" if fortran else "C")
    return from_numpy(numpy.asarray(mapped))  # the plain array keeps the map open


class Archive(Mapping):
    """A ``.npz`` file as a mapping from names to arrays; each is read when it is asked for.

    Attributes
    ----------
    files : list of str
        The names.
    """

    __module__ = "dopegraph.numpy"

    def __init__(self, archive: zipfile.ZipFile, stream: Any, file: Any, options: Any, max_header_size: int) -> None:
        self._archive: zipfile.ZipFile | None = archive
        self._stream = stream
        self._file = file
        self._options = options
        self._max_header_size = max_header_size
        self.files = [name[:-4] if name.endswith(".npy") else name for name in archive.namelist()]

    def __getitem__(self, name: str) -> Any:
        if self._archive is None:
            raise ValueError(located(f"load: {_path_of(self._file)} was closed", here()))
        members = set(self._archive.namelist())
        if name not in self.files and name not in members:
            raise KeyError(f"{name} is not in {_path_of(self._file)}, which has {', '.join(self.files)}")
        member = name if name in members else f"{name}.npy"
        noted("load", "reads a file")
        with _Explained("load", self._file, (Exception,)):
            try:
                with self._archive.open(member) as stream:
                    if not member.endswith(".npy"):
                        return stream.read()
                    found = _ours(_read_array(stream, self._options, self._max_header_size))
                    stream.read(1)  # the end: only now the checksum is looked at
                    return found
            except OSError as cause:  # in a member it is damage, not the disk
                raise ValueError(str(cause)) from cause

    def __iter__(self) -> Iterator[str]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        if self._archive is not None:
            self._archive.close()
            self._archive = None
        if self._stream is not None:
            self._stream.close()

    def __repr__(self) -> str:
        return f"<Archive {_path_of(self._file)!r} with {', '.join(self.files)}>"


# Text ------------------------------------------------------------------------------------------------------------


def savetxt(
    fname: Any, X: Any, fmt: Any = "%.18e", delimiter: str = " ", newline: str = "\n", header: str = "",
    footer: str = "", comments: str = "# ", encoding: str | None = None,
) -> None:  # fmt: skip
    """Write an array of one or two axes as text, a row a line; see ``numpy.savetxt`` for the parameters."""
    noted("savetxt", "writes a file")
    array = _elements(X, "savetxt")
    if not 0 < numpy.ndim(array) < 3:
        raise ShapeError(located(f"savetxt: one or two axes are written, not {numpy.ndim(array)}", here()))
    rest = (fmt, delimiter, newline, header, footer, comments, encoding)
    if hasattr(fname, "write") or os.fspath(fname).endswith((".gz", ".bz2", ".xz", ".lzma")):
        numpy.savetxt(fname, array, *rest)
        return
    with atomic_write(fname) as file:
        text = io.TextIOWrapper(file, encoding=encoding or "latin1", newline="")
        numpy.savetxt(text, array, *rest[:-1])
        text.detach()


def loadtxt(
    fname: Any, dtype: Any = None, comments: Any = "#", delimiter: str | None = None, converters: Any = None,
    skiprows: int = 0, usecols: Any = None, unpack: bool = False, ndmin: int = 0, encoding: Any = None,
    max_rows: int | None = None, *, quotechar: str | None = None, like: Any = None,
) -> Any:  # fmt: skip
    """Read an array from text, a line a row; see ``numpy.loadtxt`` for the parameters.

    Parameters
    ----------
    fname : str, path, file object or iterable of str
    dtype : dtype, optional
        The default floating dtype (float32).

    Examples
    --------
    >>> import dopegraph.numpy as np, io
    >>> np.loadtxt(io.StringIO("1 2\\n3 4"))
    array([[1., 2.],
           [3., 4.]], dtype=float32)
    """
    noted("loadtxt", "reads a file")
    chosen = dtype_or_default(dtype) if dtype is None or numpy.dtype(dtype) in SUPPORTED else numpy.dtype(dtype)
    with _Explained("loadtxt", fname if isinstance(fname, (str, os.PathLike)) else getattr(fname, "name", "the text")):
        found = numpy.loadtxt(
            fname, chosen, comments, delimiter, converters, skiprows, usecols, unpack, ndmin, encoding, max_rows,
            **({} if quotechar is None else {"quotechar": quotechar}),
        )  # fmt: skip
    return [_ours(one) for one in found] if isinstance(found, list) else _ours(found)


# Bytes -----------------------------------------------------------------------------------------------------------


def fromfile(
    file: Any, dtype: Any = None, count: int = -1, sep: str = "", offset: int = 0, *, like: Any = None
) -> ndarray:
    """Read an array from a file of bare elements, or of numbers with `sep` between them.

    Parameters
    ----------
    file : str, path or open file
    dtype : dtype, optional
        What the bytes are: float64 unless told otherwise, whatever the default dtype; of a text the default dtype.
    count : int, optional
        How many elements; all by default.
    sep : str, optional
        What stands between numbers in a text.
    offset : int, optional
        Bytes to leave out at the beginning.
    """
    noted("fromfile", "reads a file")
    chosen = dtype_or_default("float64" if dtype is None and not sep else dtype)
    if not sep and count > 0:
        size = os.fstat(file.fileno()).st_size if hasattr(file, "fileno") else os.stat(file).st_size
        count = min(count, size // chosen.itemsize)  # no memory for what is not there; NumPy, too, gives what is
    with _Explained("fromfile", file):
        return _ours(numpy.fromfile(file, chosen, count, sep, offset))


def tofile(self: ndarray, fid: Any, /, sep: str = "", format: str = "%s") -> None:
    """Write the elements to a file: bare, or as text with `sep` between them; `fromfile` reads them.

    Parameters
    ----------
    fid : str, path or open file
        A file with that path appears whole or not at all.
    sep : str, optional
    format : str, optional
        How a number is written as text.
    """
    array = self._look("value-escape", "tofile")
    if hasattr(fid, "write"):
        try:
            fid.fileno()
        except (AttributeError, OSError):  # a file in memory
            text = sep.join([format % item for item in array.reshape(-1).tolist()])
            fid.write(text if sep else array.tobytes())
        else:
            array.tofile(fid, sep, format)
        return
    with atomic_write(fid) as file:
        array.tofile(file, sep, format)
