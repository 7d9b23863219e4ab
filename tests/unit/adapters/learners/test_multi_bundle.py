"""A multi-label bundle says where each class's line is, and its own script draws it."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import numpy as np
import pytest

from adapters.encoders.install import default_directory
from adapters.encoders.onnx_encoder import OnnxEncoder
from adapters.learners.bundle import export_bundle
from adapters.learners.model_card import model_card
from adapters.learners.onnx_head import OnnxClassifier, linear_head

CLASSES = ("legal", "money", "health")
TEXT = "How are you today?"


@pytest.fixture(scope="module")
def encoder():
    return OnnxEncoder(default_directory(), threads=1)


@pytest.fixture(scope="module")
def head():
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(384, 3)).astype(np.float32)
    return linear_head(matrix, rng.normal(size=3).astype(np.float32), multi_label=True)


def test_the_bundle_names_classes_by_its_own_instructions(encoder, head, tmp_path):
    scores = OnnxClassifier(head, sha256=None).predict(encoder.encode([TEXT]))[0]
    lines = {
        c: float(s) + (0.1 if c == "money" else -0.1) for c, s in zip(CLASSES, scores, strict=True)
    }
    portable = encoder.portable()
    files = export_bundle(
        encoder=portable.model,
        tokenizer=portable.tokenizer,
        head=head,
        classes=CLASSES,
        card={},
        thresholds=lines,
    )
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    code = re.search(r"```python\n(.*?)```", files["README.md"].decode(), re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-I", "-c", code[1]],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(files["labels.json"])["thresholds"] == lines
    assert done.stdout.splitlines()[-1] == "['legal', 'health']"


def test_the_card_does_not_claim_that_independent_probabilities_sum_to_one():
    assert "sums to 1" not in model_card(classes=CLASSES, card={}, multi_label=True)
    assert "sums to 1" in model_card(classes=CLASSES, card={})
