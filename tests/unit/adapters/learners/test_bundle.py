"""A bundle is one model that runs with onnxruntime and tokenizers alone."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import zipfile

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from adapters.encoders.install import default_directory
from adapters.encoders.onnx_encoder import OnnxEncoder
from adapters.learners.bundle import export_bundle, merge, write_bundle
from adapters.learners.model_card import model_card
from adapters.learners.onnx_head import OnnxClassifier, linear_head
from core.errors import Unavailable

CLASSES = ("no-harm", "médical", "legal")
TEXTS = ["My landlord will not return the deposit.", "", "Is this rash serious? " * 60]
CARD = {
    "title": "Support triage",
    "intended_use": "Sorts messages for people to read.",
    "metrics": {"macro_f1": 0.812345678, "per_class": {"legal": 0.5}},
    "data": {"sha256": "ab" * 32, "label_watermark": 7},
    "limits": ["English", "256 tokens"],
}
SCRIPT = """
import sys
{code}
import numpy as np
texts = json.load(sys.stdin)
strangers = [m for m in ("onnx", "sklearn", "torch", "core", "adapters") if m in sys.modules]
print(json.dumps([strangers, [predict(text).tolist() for text in texts]]))
"""


def head(*, dimension=384, classes=3, seed=0):
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(dimension, classes)).astype(np.float32)
    return linear_head(matrix, rng.normal(size=classes).astype(np.float32))


def toy_encoder(*, opset):
    """Two-dimensional "sentence vectors", with names that a head uses too."""
    nodes = [
        helper.make_node("Cast", ["input_ids"], ["logits"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["logits", "matrix"], ["probabilities"]),
        helper.make_node("Identity", ["probabilities"], ["vectors"]),
    ]
    entry = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["n", 4])
    output = helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["n", 2])
    matrix = numpy_helper.from_array(np.ones((4, 2), np.float32), "matrix")
    graph = helper.make_graph(nodes, "toy", [entry], [output], [matrix])
    imports = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, ir_version=8, opset_imports=imports).SerializeToString()


@pytest.fixture(scope="module")
def encoder():
    return OnnxEncoder(default_directory(), threads=1)


@pytest.fixture(scope="module")
def files(encoder):
    portable = encoder.portable()
    return export_bundle(
        encoder=portable.model,
        tokenizer=portable.tokenizer,
        head=head(),
        classes=CLASSES,
        card=CARD,
    )


def test_the_bundle_runs_by_its_own_instructions_and_agrees(files, encoder, tmp_path):
    with (tmp_path / "bundle.zip").open("wb") as file:
        write_bundle(file, files)
    with zipfile.ZipFile(tmp_path / "bundle.zip") as archive:
        archive.extractall(tmp_path)
    code = re.search(r"```python\n(.*?)```", (tmp_path / "README.md").read_text(), re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-I", "-c", SCRIPT.format(code=code[1])],
        cwd=tmp_path,
        input=json.dumps(TEXTS),
        capture_output=True,
        text=True,
        check=True,
    )
    strangers, found = json.loads(done.stdout.splitlines()[-1])
    expected = OnnxClassifier(head(), sha256=None).predict(encoder.encode(TEXTS))
    assert strangers == []
    assert np.array(found) == pytest.approx(expected, abs=1e-5)


def test_the_bundle_holds_model_tokenizer_labels_and_card(files):
    assert list(files) == ["model.onnx", "tokenizer.json", "labels.json", "README.md"]
    assert json.loads(files["labels.json"]) == {"classes": list(CLASSES)}


def test_the_tokenizer_cuts_and_does_not_pad(files):
    settings = json.loads(files["tokenizer.json"])
    assert settings["truncation"]["max_length"] == 256
    assert settings["padding"] is None


def test_the_model_carries_its_classes(files):
    model = onnx.load_model_from_string(files["model.onnx"])
    assert {entry.key: json.loads(entry.value) for entry in model.metadata_props} == {
        "classes": list(CLASSES)
    }


@pytest.mark.parametrize("opset", [13, 17, 20])
def test_names_that_both_graphs_use_do_not_collide(opset):
    merged = merge(encoder=toy_encoder(opset=opset), head=head(dimension=2))
    onnx.checker.check_model(merged, full_check=True)
    assert [entry.name for entry in merged.graph.input] == ["input_ids"]
    assert [entry.name for entry in merged.graph.output] == ["probabilities"]


def test_an_encoder_of_an_old_opset_is_refused():
    with pytest.raises(Unavailable, match="opset"):
        merge(encoder=toy_encoder(opset=12), head=head(dimension=2))


def test_the_same_parts_give_the_same_bytes():
    parts = {"encoder": toy_encoder(opset=17), "tokenizer": b"{}", "head": head(dimension=2)}
    first, second = (export_bundle(**parts, classes=CLASSES, card=CARD) for _ in range(2))
    zips = [io.BytesIO(), io.BytesIO()]
    write_bundle(zips[0], first)
    write_bundle(zips[1], second)
    assert zips[0].getvalue() == zips[1].getvalue()


def test_the_card_shows_what_it_was_given():
    text = model_card(classes=CLASSES, card=CARD)
    assert text.startswith("# Support triage\n")
    assert text.index("## Intended use") < text.index("## How to run it") < text.index("## Metrics")
    assert "| macro_f1 | 0.812346 |" in text
    assert "| per_class | legal: 0.5 |" in text
    assert "- 256 tokens" in text


def test_definitions_in_the_card_take_the_place_of_bare_ids():
    text = model_card(classes=CLASSES, card={"classes": {"legal": "Asks about the law."}})
    assert text.count("## Classes") == 1
    assert "| legal | Asks about the law. |" in text


def test_text_in_the_card_cannot_become_markup():
    text = model_card(classes=("a|b", "<script>x</script>"), card={"note": "one\n# two `x`"})
    assert "a\\|b" in text
    assert "<script>" not in text
    assert "one # two \\`x\\`" in text
