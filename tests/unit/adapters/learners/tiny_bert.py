"""A pretrained model's folder in miniature: one layer, random weights, whole words."""

from __future__ import annotations

import warnings
from pathlib import Path

from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "river", "boat", "bread", "oven", "the", "a", "my"]


def write_tiny_bert(folder: Path) -> Path:
    """``folder`` with config.json, model.safetensors and tokenizer.json in it."""
    import torch
    from transformers import BertConfig, BertModel

    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=24,
    )
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(3)
        BertModel(config).save_pretrained(folder)
    numbers = {word: number for number, word in enumerate(WORDS)}
    tokenizer = Tokenizer(WordLevel(numbers, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


class QuietJob:
    """A job that notes its progress and is cancelled after ``checks`` checks."""

    operation_id = "op_1"

    def __init__(self, *, checks: int = 10**9) -> None:
        self.seen: list[tuple[str, int, int]] = []
        self._left = checks

    def progress(self, phase: str, done: int, total: int) -> None:
        self.seen.append((phase, done, total))

    def step(self, _name, work):
        return work()

    def check(self) -> None:
        from core.errors import Cancelled

        self._left -= 1
        if self._left < 0:
            raise Cancelled("the operation was cancelled")
