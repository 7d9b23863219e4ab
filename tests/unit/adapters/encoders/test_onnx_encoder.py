"""The ONNX encoder: right vectors, in order, whatever the batch, from intact files only."""

from __future__ import annotations

import shutil

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from adapters.encoders import encoders
from adapters.encoders.onnx_encoder import OnnxEncoder
from core.errors import InvalidOption, NotInstalled, Unavailable
from core.records import Choice

SENTENCES = [
    "How do I reset the password of my bank account?",
    "I forgot my online banking password, how can I change it?",
    "The tomatoes in our garden ripened early this summer.",
]


@pytest.fixture(scope="module")
def encoder(minilm):
    return OnnxEncoder(minilm, threads=1)


def test_vectors_are_those_the_model_card_shows(encoder):
    first, second = encoder.encode(["This is an example sentence", "Each sentence is converted"])
    assert first[:4] == pytest.approx([0.0677, 0.0635, 0.0487, 0.0793], abs=1e-4)
    assert second[:4] == pytest.approx([0.0864, 0.1028, 0.0054, 0.0020], abs=1e-4)


def test_rows_have_unit_length(encoder):
    assert np.linalg.norm(encoder.encode(SENTENCES), axis=1) == pytest.approx(1.0, abs=1e-5)


def test_a_paraphrase_is_nearer_than_another_topic(encoder):
    question, paraphrase, other = encoder.encode(SENTENCES)
    assert question @ paraphrase > 0.7
    assert question @ other < 0.2


def test_a_text_has_the_same_vector_alone_and_in_any_batch(encoder):
    rng = np.random.default_rng(3)
    words = ["bank", "call", "doctor", "dose", "fire", "help", "lawyer", "letter", "money", "rent"]
    texts = [" ".join(rng.choice(words, size=size)) for size in rng.integers(1, 60, size=40)]
    alone = np.vstack([encoder.encode([text]) for text in texts])
    assert (alone * encoder.encode(texts)).sum(axis=1).min() > 0.99999


def test_rows_come_in_the_order_of_the_texts(encoder):
    texts = ["one " * size for size in (50, 3, 120, 1, 9)]
    forwards, backwards = encoder.encode(texts), encoder.encode(texts[::-1])
    assert forwards == pytest.approx(backwards[::-1], abs=1e-5)


def test_no_texts_give_no_rows(encoder):
    assert encoder.encode([]).shape == (0, 384)


def test_an_empty_text_still_has_a_unit_vector(encoder):
    assert np.linalg.norm(encoder.encode([""])) == pytest.approx(1.0, abs=1e-5)


def test_long_texts_are_cut_and_reported(encoder):
    long = "word " * 300
    assert encoder.truncated(["short", long, ""]) == [False, True, False]
    shorter, longer = encoder.encode(["word " * 254, long])
    assert shorter == pytest.approx(longer, abs=1e-5)


def test_the_id_names_encoder_weights_and_length(minilm, encoder):
    name, digest, length = encoder.id.split("-")
    assert (name, len(digest), length) == ("minilm", 12, "256")
    assert OnnxEncoder(minilm, threads=1, max_length=128).id == f"minilm-{digest}-128"


def test_more_tokens_than_the_model_has_positions_are_refused(tiny_encoder):
    with pytest.raises(InvalidOption):
        OnnxEncoder(tiny_encoder, max_length=13)


def test_a_missing_encoder_names_the_command_that_installs_it(tmp_path):
    with pytest.raises(NotInstalled, match="tailwise encoder install") as caught:
        OnnxEncoder(tmp_path / "nowhere")
    assert caught.value.code == "encoder-missing"


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_a_tampered_file_is_refused(tiny_encoder, name):
    with (tiny_encoder / name).open("ab") as file:
        file.write(b" ")
    with pytest.raises(Unavailable, match="not those that were installed") as caught:
        OnnxEncoder(tiny_encoder, max_length=12)
    assert caught.value.code == "encoder-corrupt"


@pytest.mark.parametrize("damage", [b"", b"\xff\xff\xff no model"])
def test_a_file_that_is_no_model_is_refused(tiny_encoder, damage):
    (tiny_encoder / "encoder.json").unlink()
    (tiny_encoder / "model.onnx").write_bytes(damage)
    with pytest.raises(Unavailable):
        OnnxEncoder(tiny_encoder)


def test_weights_in_other_files_are_refused(tiny_encoder):
    (tiny_encoder / "encoder.json").unlink()
    model = onnx.load(tiny_encoder / "model.onnx")
    onnx.save_model(
        model,
        str(tiny_encoder / "model.onnx"),
        save_as_external_data=True,
        location="weights.bin",
        size_threshold=0,
    )
    with pytest.raises(Unavailable, match="other files"):
        OnnxEncoder(tiny_encoder)


def token_vectors(directory, source, *, opset):
    """A graph as exporters write it: token vectors out, segment ids wanted."""
    table = np.random.default_rng(5).normal(size=(40, 6)).astype(np.float32)
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["words"]),
        helper.make_node("Cast", ["token_type_ids"], ["segments"], to=TensorProto.FLOAT),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Add", ["segments", "mask"], ["ones"]),
        helper.make_node("Unsqueeze", ["ones", "axis"], ["column"]),
        helper.make_node("Add", ["words", "column"], ["last_hidden_state"]),
    ]
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["n", "t"])
        for name in ("input_ids", "attention_mask", "token_type_ids")
    ]
    output = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["n", "t", 6])
    constants = [
        numpy_helper.from_array(table, "table"),
        numpy_helper.from_array(np.array([2]), "axis"),
    ]
    graph = helper.make_graph(nodes, "tokens", inputs, [output], constants)
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", opset)])
    directory.mkdir()
    onnx.save(model, str(directory / "model.onnx"))
    shutil.copy(source / "tokenizer.json", directory)
    return table


@pytest.mark.parametrize("opset", [13, 17, 18])
def test_token_vectors_are_averaged_and_normalised(tmp_path, tiny_encoder, opset):
    table = token_vectors(tmp_path / "plain", tiny_encoder, opset=opset)
    registry = encoders(minilm_directory=tmp_path, threads=1)
    encoder = registry.make(Choice(name="onnx", options={"path": str(tmp_path / "plain")}))
    mean = table[[2, 7, 8, 5, 3]].mean(axis=0) + 1
    found = encoder.encode(["call my bank", "the"])
    assert found[0] == pytest.approx(mean / np.linalg.norm(mean), abs=1e-5)
    assert encoder.dimension == 6


def test_whole_numbers_that_are_put_out_first_are_no_vectors(tmp_path, tiny_encoder):
    table = token_vectors(tmp_path / "plain", tiny_encoder, opset=17)
    path = tmp_path / "plain" / "model.onnx"
    model = onnx.load(path)
    ids = helper.make_tensor_value_info("same_ids", TensorProto.INT64, ["n", "t"])
    model.graph.node.append(helper.make_node("Identity", ["input_ids"], ["same_ids"]))
    model.graph.output.insert(0, ids)
    onnx.save(model, str(path))
    encoder = OnnxEncoder(tmp_path / "plain", threads=1)
    mean = table[[2, 7, 8, 5, 3]].mean(axis=0) + 1
    found = encoder.encode(["call my bank"])[0]
    assert found == pytest.approx(mean / np.linalg.norm(mean), abs=1e-5)


def test_the_portable_encoder_gives_the_same_vectors(tiny_encoder):
    import onnxruntime
    from tokenizers import Tokenizer

    encoder = OnnxEncoder(tiny_encoder, threads=1, max_length=5)
    portable = encoder.portable()
    ids = np.array([Tokenizer.from_str(portable.tokenizer.decode()).encode("my " * 9).ids])
    session = onnxruntime.InferenceSession(portable.model, providers=["CPUExecutionProvider"])
    found = session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0]
    assert ids.shape == (1, 5)
    assert found == pytest.approx(encoder.encode(["my " * 9]), abs=1e-6)


def test_files_that_changed_since_loading_are_not_exported(tiny_encoder):
    encoder = OnnxEncoder(tiny_encoder, threads=1, max_length=5)
    (tiny_encoder / "encoder.json").unlink()
    (tiny_encoder / "tokenizer.json").write_bytes(b"{}")
    with pytest.raises(Unavailable):
        encoder.portable()


@pytest.mark.parametrize(
    "options", [{"batch_size": 0}, {"max_length": 1}, {"max_length": True}, {"threads": 2}]
)
def test_options_out_of_range_are_refused(minilm, options):
    registry = encoders(minilm_directory=minilm, threads=1)
    with pytest.raises(InvalidOption):
        registry.make(Choice(name="minilm", options=options))


@pytest.mark.parametrize("options", [{}, {"path": "/etc"}, {"path": "../.."}, {"path": "."}])
def test_the_onnx_encoder_takes_folders_of_the_encoder_directory_only(minilm, options):
    with pytest.raises(InvalidOption, match="folder"):
        encoders(minilm_directory=minilm, threads=1).make(Choice(name="onnx", options=options))
