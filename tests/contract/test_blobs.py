"""What every blob store does, over a directory and over memory."""

import hashlib
import subprocess
import sys
import uuid
from pathlib import Path

import numpy as np
import pytest

from adapters.blobs.files import FsspecBlobs
from core.errors import InvalidInput, Unavailable

UNKNOWN = "f" * 64


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "blobs"


@pytest.fixture(params=["directory", "memory"])
def blobs(request: pytest.FixtureRequest, folder: Path) -> FsspecBlobs:
    if request.param == "memory":
        return FsspecBlobs(f"memory://{uuid.uuid4()}")
    return FsspecBlobs(f"file://{folder}")


@pytest.fixture
def directory(folder: Path) -> FsspecBlobs:
    return FsspecBlobs(f"file://{folder}")


def stored(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_blob_comes_back_under_its_hash(blobs):
    digest = blobs.put(b"content")
    assert digest == hashlib.sha256(b"content").hexdigest()
    assert blobs.get(digest) == b"content"
    assert blobs.size(digest) == 7


def test_an_empty_blob_comes_back(blobs):
    assert blobs.get(blobs.put(b"")) == b""


def test_putting_twice_gives_the_same_digest(blobs):
    assert blobs.put(b"twice") == blobs.put(b"twice")


def test_a_stream_comes_back_with_its_size(blobs):
    digest, size = blobs.put_stream(iter([b"one", b"", b"two"]))
    assert (blobs.get(digest), size) == (b"onetwo", 6)


def test_a_blob_is_read_in_pieces(blobs):
    with blobs.open(blobs.put(b"abcdef")) as file:
        assert [file.read(4), file.read(4), file.read(4)] == [b"abcd", b"ef", b""]


def test_a_stream_of_exactly_the_limit_is_stored(blobs):
    digest, _ = blobs.put_stream([b"12", b"34"], limit=4)
    assert blobs.get(digest) == b"1234"


def test_a_stream_past_the_limit_is_refused_without_reading_on(blobs):
    def chunks():
        yield b"12345"
        raise AssertionError("read on")

    with pytest.raises(InvalidInput) as refused:
        blobs.put_stream(chunks(), limit=4)
    assert refused.value.code == "payload-too-large"
    assert refused.value.extras == {"limit": 4}


@pytest.mark.parametrize("ask", ["get", "open", "size", "array"])
def test_an_unknown_blob_is_missing(blobs, ask):
    with pytest.raises(Unavailable) as refused:
        getattr(blobs, ask)(UNKNOWN)
    assert refused.value.code == "blob-missing"


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, UNKNOWN + "/"])
def test_a_name_that_is_no_digest_is_missing(blobs, name):
    with pytest.raises(Unavailable) as refused:
        blobs.get(name)
    assert refused.value.code == "blob-missing"


def test_a_deleted_blob_is_missing_and_deleting_again_is_nothing(blobs):
    digest = blobs.put(b"gone soon")
    blobs.delete(digest)
    blobs.delete(digest)
    with pytest.raises(Unavailable):
        blobs.get(digest)


def test_a_deleted_blob_can_be_stored_again(blobs):
    digest = blobs.put(b"back")
    blobs.delete(digest)
    assert blobs.get(blobs.put(b"back")) == b"back"


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12, dtype=np.float16).reshape(3, 4),
        np.zeros((0, 8), dtype=np.float32),
        np.array([-1, 0, 1], dtype=np.int8),
        np.float32(2.5).reshape(()),
        np.arange(12, dtype=np.int32).reshape(3, 4).T,
        np.arange(20, dtype=np.int64)[::3],
    ],
    ids=["float16", "no rows", "int8", "scalar", "transposed", "strided"],
)
def test_an_array_comes_back_with_shape_and_type(blobs, array):
    back = blobs.array(blobs.put_array(array))
    np.testing.assert_array_equal(back, array)
    assert (back.dtype, back.shape) == (array.dtype, array.shape)


def test_equal_arrays_have_one_digest_whatever_their_order_in_memory(blobs):
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    assert blobs.put_array(array) == blobs.put_array(np.asfortranarray(array))


def test_an_array_cannot_be_changed_through_what_comes_back(blobs):
    back = blobs.array(blobs.put_array(np.zeros(3)))
    with pytest.raises(ValueError):
        back[0] = 1


def test_an_array_of_objects_is_refused(blobs):
    with pytest.raises(ValueError):
        blobs.put_array(np.array([{"a": 1}], dtype=object))


def test_what_is_no_array_is_corrupt_as_one(blobs):
    digest = blobs.put(b"not an array")
    with pytest.raises(Unavailable) as refused:
        blobs.array(digest)
    assert refused.value.code == "blob-corrupt"


def test_an_array_in_a_directory_is_memory_mapped(directory):
    assert isinstance(directory.array(directory.put_array(np.zeros(5))), np.memmap)


def test_a_changed_file_is_corrupt(directory):
    digest = directory.put(b"original")
    path = directory.path(digest)
    path.chmod(0o600)
    path.write_bytes(b"0riginal")
    with pytest.raises(Unavailable) as refused:
        directory.get(digest)
    assert refused.value.code == "blob-corrupt"


def test_a_truncated_file_is_replaced_when_its_content_is_put_again(directory):
    digest = directory.put(b"original")
    directory.path(digest).write_bytes(b"orig")
    directory.put(b"original")
    assert directory.get(digest) == b"original"


def test_blobs_lie_in_folders_two_levels_deep(directory, folder):
    digest = directory.put(b"deep")
    assert directory.path(digest) == folder / digest[:2] / digest[2:4] / digest


def test_memory_has_no_paths():
    blobs = FsspecBlobs(f"memory://{uuid.uuid4()}")
    assert blobs.path(blobs.put(b"nowhere")) is None


def test_nothing_stays_behind_when_the_source_of_a_stream_fails(directory, folder):
    def chunks():
        yield b"half"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        directory.put_stream(chunks())
    assert stored(folder) == []


def test_nothing_stays_behind_when_a_stream_is_too_large(directory, folder):
    with pytest.raises(InvalidInput):
        directory.put_stream([b"12345"], limit=4)
    assert stored(folder) == []


def test_what_a_killed_writer_left_is_swept_at_the_next_start(directory, folder):
    program = (
        "import os, signal, sys\n"
        "from adapters.blobs.files import FsspecBlobs\n"
        "def chunks():\n"
        "    yield b'half a secret'\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "FsspecBlobs(sys.argv[1]).put_stream(chunks())\n"
    )
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", program, f"file://{folder}"], cwd=root, check=False)
    assert len(stored(folder)) == 1
    FsspecBlobs(f"file://{folder}")
    assert stored(folder) == []


def test_a_start_leaves_the_files_of_living_writers_alone(directory, folder):
    def chunks():
        yield b"first "
        FsspecBlobs(f"file://{folder}")
        yield b"second"

    digest, _ = directory.put_stream(chunks())
    assert directory.get(digest) == b"first second"
