"""Files of arrays: NumPy reads what we write and we what it writes; damage is an error that names the file."""

import io
import os
import pickle
import struct
import threading
import zipfile

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dopegraph
import dopegraph.numpy as np
from dopegraph.numpy.promotion import SUPPORTED

DTYPES = sorted(dtype.name for dtype in SUPPORTED)
ARRAYS = [
    *(numpy.arange(6).reshape(2, 3).astype(dtype) for dtype in DTYPES),
    numpy.asarray(2.5),
    numpy.zeros((0, 3)),
    numpy.asfortranarray(numpy.arange(6.0).reshape(2, 3)),
    numpy.arange(24.0).reshape(2, 3, 4)[:, ::2, ::-1],
    numpy.arange(3, dtype=">f8"),
]


def same(found, expected):
    assert type(found) is np.ndarray
    assert found.dtype == expected.dtype.newbyteorder("=") and found.shape == expected.shape
    numpy.testing.assert_array_equal(found.asnumpy(), expected)


# .npy ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: f"{array.dtype}{array.shape}")
def test_npy_goes_both_ways_by_path_and_by_file(array, tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, np.asarray(array))
    numpy.testing.assert_array_equal(numpy.load(path), array)
    numpy.save(str(path), array)
    same(np.load(path), array)
    same(np.load(str(path)), array)
    file = io.BytesIO()
    np.save(file, np.asarray(array))
    np.save(file, np.asarray(array))  # two in one file
    file.seek(0)
    same(np.load(file), array)
    same(np.load(file), array)


def test_a_path_gets_its_ending_and_no_other_file_stays(tmp_path):
    np.save(tmp_path / "x", np.ones(2))
    np.savez(str(tmp_path / "y"), np.ones(2))
    assert sorted(os.listdir(tmp_path)) == ["x.npy", "y.npz"]


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, np.ones(2))
    with pytest.raises(ValueError):
        np.save(path, numpy.array([object()]), allow_pickle=False)
    assert np.load(path).tolist() == [1, 1] and os.listdir(tmp_path) == ["x.npy"]
    with pytest.raises(OSError):
        np.save(tmp_path / "no" / "folder", np.ones(2))


@pytest.mark.skipif(os.name == "nt", reason="rights are Unix's")
def test_a_file_keeps_its_rights_and_links_are_followed(tmp_path):
    path, link = tmp_path / "x.npy", tmp_path / "link.npy"
    np.save(path, np.ones(2))
    ordinary = tmp_path / "ordinary"
    ordinary.write_bytes(b"")
    assert path.stat().st_mode == ordinary.stat().st_mode
    path.chmod(0o600)
    link.symlink_to(path)
    np.save(link, np.zeros(2))
    assert link.is_symlink() and np.load(path).tolist() == [0, 0] and path.stat().st_mode & 0o777 == 0o600


def test_a_mapped_array_stays_in_the_file(tmp_path):
    path = tmp_path / "x.npy"
    numpy.save(path, numpy.arange(6, dtype="float32").reshape(2, 3))
    x = np.load(path, mmap_mode="r+")
    x[0, 0] = 7
    x[1] += 1
    del x
    assert numpy.load(path).tolist() == [[7, 1, 2], [4, 5, 6]]
    fixed = np.load(path, mmap_mode="r")
    assert (fixed + 1).tolist() == [[8, 2, 3], [5, 6, 7]]
    with pytest.raises(ValueError, match="read-only"):
        fixed[0] = 0
    private = np.load(str(path), mmap_mode="c")
    private[0, 0] = 0
    assert numpy.load(path)[0, 0] == 7
    numpy.save(path, numpy.zeros((0, 2)))
    assert np.load(path, mmap_mode="r").shape == (0, 2)
    with pytest.raises(ValueError, match="mmap_mode='w'"):
        np.load(path, mmap_mode="w")


def test_what_arrays_cannot_be_stays_numpys(tmp_path):
    words = numpy.array(["a", "bc"])
    np.save(tmp_path / "words.npy", words)
    assert np.load(tmp_path / "words.npy").tolist() == ["a", "bc"]
    objects = numpy.array([{}, 1], dtype=object)
    np.save(tmp_path / "objects.npy", objects)
    with pytest.raises(ValueError, match=r"(?s)objects\.npy.*allow_pickle=True.*test_files\.py"):
        np.load(tmp_path / "objects.npy")
    assert np.load(tmp_path / "objects.npy", allow_pickle=True).tolist() == [{}, 1]
    (tmp_path / "pickle").write_bytes(pickle.dumps([1, 2]))
    assert np.load(tmp_path / "pickle", allow_pickle=True) == [1, 2]


def npy_with_header(header, data=b"", version=1):
    encoded = header.encode() + b"\n"
    length = struct.pack("<H" if version == 1 else "<I", len(encoded))
    return b"\x93NUMPY" + bytes([version, 0]) + length + encoded + data


HUGE = "{'descr': '<f8', 'fortran_order': False, 'shape': (%s), }"
DAMAGED = {
    "huge": npy_with_header(HUGE % "1000000000000000,"),
    "beyond all memory": npy_with_header(HUGE % "10**9, 1"),
    "negative": npy_with_header(HUGE % "-1,"),
    "overflowing": npy_with_header(HUGE % "4611686018427387904, 4611686018427387904"),
    "truncated": npy_with_header(HUGE % "2,", b"12345678"),
    "long header": b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**32 - 1) + b"{}",
    "half a header": b"\x93NUMPY\x01\x00\xff",
    "unknown version": b"\x93NUMPY\x09\x00" + bytes(100),
    "no dict": npy_with_header("[]"),
    "code": npy_with_header("__import__('os').abort()"),
    "text": b"hello",
    "half a zip": b"PK\x03\x04" + bytes(30),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_files_are_errors_that_name_them(name, tmp_path):
    path = tmp_path / "damaged.npy"
    path.write_bytes(DAMAGED[name])
    for mode in (None, "r"):
        with pytest.raises(ValueError, match=r"(?s)damaged\.npy.*test_files\.py"):
            np.load(path, mmap_mode=mode)
    with pytest.raises(ValueError):
        np.load(io.BytesIO(DAMAGED[name]))


def test_an_empty_file_is_an_end_of_file(tmp_path):
    (tmp_path / "empty.npy").write_bytes(b"")
    with pytest.raises(EOFError, match=r"empty\.npy"):
        np.load(tmp_path / "empty.npy")
    with pytest.raises(FileNotFoundError):
        np.load(tmp_path / "missing.npy")


def whole(name):
    file = io.BytesIO()
    x = numpy.arange(20.0)
    {"npy": numpy.save, "npz": numpy.savez, "compressed": numpy.savez_compressed}[name](file, x)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["npy", "npz", "compressed"])
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_damage_is_an_error_or_does_no_harm(kind, data):
    content = bytearray(whole(kind))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, min(len(content) - 1, 150)))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(1, len(content)))]
    try:
        found = np.load(io.BytesIO(content))
        arrays = [found] if kind == "npy" else list(found.values())
    except (ValueError, EOFError, KeyError):
        return
    assert all(getattr(array, "nbytes", 0) <= 4096 for array in arrays)


# .npz ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("writer", ["savez", "savez_compressed"])
def test_npz_goes_both_ways(writer, tmp_path):
    path = tmp_path / "x.npz"
    arrays = {f"a{position}": array for position, array in enumerate(ARRAYS)}
    getattr(np, writer)(path, np.ones(2), **{name: np.asarray(array) for name, array in arrays.items()})
    with numpy.load(path) as theirs:
        assert set(theirs) == {"arr_0", *arrays}
        for name, array in arrays.items():
            numpy.testing.assert_array_equal(theirs[name], array)
    getattr(numpy, writer)(path, numpy.ones(2), **arrays)
    with np.load(path) as ours:
        assert (
            sorted(ours) == sorted(["arr_0", *arrays]) and len(ours) == len(arrays) + 1 and "a0.npy" not in ours.files
        )
        for name, array in arrays.items():
            same(ours[name], array)
        same(ours["a0.npy"], arrays["a0"])
        with pytest.raises(KeyError, match=r"nothing is not in .*x\.npz"):
            ours["nothing"]
    with pytest.raises(ValueError, match="closed"):
        ours["a0"]


def test_a_damaged_member_is_an_error_that_names_the_file(tmp_path):
    path = tmp_path / "x.npz"
    numpy.savez(path, a=numpy.arange(100.0))
    content = bytearray(path.read_bytes())
    place = content.index(struct.pack("<d", 50.0))
    content[place : place + 8] = struct.pack("<d", 51.0)
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"(?s)x\.npz.*test_files\.py"):
        np.load(path)["a"]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", npy_with_header(HUGE % "10000000000000,"))
        archive.writestr("note.txt", "hello")
    with pytest.raises(ValueError, match=r"x\.npz"):
        np.load(path)["a"]
    assert np.load(path)["note.txt"] == b"hello"


def test_names_of_unnamed_arrays_must_be_free(tmp_path):
    with pytest.raises(ValueError, match="arr_0"):
        np.savez(tmp_path / "x.npz", np.ones(1), arr_0=np.ones(1))


# Text and bytes --------------------------------------------------------------------------------------------------


def test_text_goes_both_ways(tmp_path):
    path = tmp_path / "x.txt"
    x = np.array([[1.5, 2.25], [-3.0, 1e10]])
    np.savetxt(path, x, header="two columns", delimiter=",")
    assert path.read_text() == text_of(numpy.savetxt, x.asnumpy())
    assert np.loadtxt(path, delimiter=",").tolist() == x.tolist()
    np.savetxt(str(tmp_path / "x.gz"), x)
    assert np.loadtxt(tmp_path / "x.gz").tolist() == x.tolist()
    file = io.StringIO()
    np.savetxt(file, np.arange(3), fmt="%d")
    file.seek(0)
    assert np.loadtxt(file, dtype=numpy.int32).dtype == numpy.int32
    first, second = np.loadtxt(path, delimiter=",", unpack=True)
    assert first.tolist() == [1.5, -3] and type(second) is np.ndarray
    assert np.loadtxt(["1 2"]).dtype == dopegraph.default_dtype()


def text_of(writer, array):
    file = io.StringIO()
    writer(file, array, header="two columns", delimiter=",")
    return file.getvalue()


def test_text_that_is_no_number_is_an_error_that_names_the_file(tmp_path):
    (tmp_path / "x.txt").write_text("1 2\n3 four\n")
    with pytest.raises(ValueError, match=r"(?s)x\.txt.*four.*test_files\.py"):
        np.loadtxt(tmp_path / "x.txt")
    with pytest.raises(ValueError, match="axes"):
        np.savetxt(tmp_path / "y.txt", np.ones((2, 2, 2)))
    assert sorted(os.listdir(tmp_path)) == ["x.txt"]


@pytest.mark.parametrize("array", ARRAYS[:-1], ids=lambda array: f"{array.dtype}{array.shape}")
def test_bytes_are_numpys(array, tmp_path):
    x = np.asarray(array)
    assert x.tobytes() == array.tobytes() and x.tobytes("F") == array.tobytes("F")
    path = tmp_path / "x.bin"
    x.tofile(path)
    assert path.read_bytes() == array.tobytes()
    if array.size:
        same(np.fromfile(path, array.dtype), array.reshape(-1))
        assert np.fromfile(path, array.dtype, count=10**15).size == array.size
    file = io.BytesIO()
    x.tofile(file)
    assert file.getvalue() == array.tobytes()


def test_numbers_as_text(tmp_path):
    np.arange(3).tofile(tmp_path / "x", sep=",")
    assert (tmp_path / "x").read_text() == "0,1,2"
    assert np.fromfile(tmp_path / "x", sep=",").tolist() == [0, 1, 2]
    with open(tmp_path / "y", "wb") as file:
        np.ones(2, "float64").tofile(file)
        np.zeros(1, "float64").tofile(file)
    assert np.fromfile(str(tmp_path / "y")).tolist() == [1, 1, 0]
    with open(tmp_path / "y", "rb") as file:
        assert np.fromfile(file, count=1, offset=8).tolist() == [1]
        assert np.fromfile(file).tolist() == [0]


# Elsewhere -------------------------------------------------------------------------------------------------------


def test_files_are_read_and_written_by_every_call_of_a_compiled_function(tmp_path):
    path = tmp_path / "x.npy"

    @dopegraph.compile
    def keep(x):
        np.save(path, x * 2)
        return np.load(path) + 1

    for number in (1.0, 2.0, 3.0):
        assert keep(np.array([number])).tolist() == [2 * number + 1]
        assert numpy.load(path).tolist() == [2 * number]


def test_two_threads_may_write_one_file(tmp_path):
    path = tmp_path / "x.npy"
    writers = [
        threading.Thread(target=lambda number=number: [np.save(path, np.full(50, number)) for _ in range(20)])
        for number in range(3)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(set(np.load(path).tolist())) == 1 and os.listdir(tmp_path) == ["x.npy"]
