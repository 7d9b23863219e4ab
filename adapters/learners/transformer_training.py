"""Fine-tuning in plain PyTorch: AdamW, a warm-up, and the pass that watched rows liked best.

The optimiser and schedule follow Devlin et al. 2019 and Mosbach et al. 2021 (small sets
need more passes and a warm-up).
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoConfig, AutoModelForSequenceClassification
from transformers.utils import logging as chatter

from adapters.learners.transformer_files import ModelFolder, corrupt
from core.errors import InvalidOption
from core.ports import Floats, Job, Targets

WARM_UP = 0.1
"""Share of the steps in which the learning rate rises."""
DECAY = 0.01
LARGEST_GRADIENT = 1.0
JUDGED_AT_ONCE = 32


class Schedule(Protocol):
    """The options that steer training."""

    @property
    def epochs(self) -> int: ...
    @property
    def learning_rate(self) -> float: ...
    @property
    def batch_size(self) -> int: ...
    @property
    def patience(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRows:
    """Token ids, int32 (n,) or bool (n, C) targets, what each loss counts (same shape), and
    bool (n,) rows that are watched instead of trained on."""

    tokens: Sequence[Sequence[int]]
    targets: Targets
    weights: Floats
    watched: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Passes made, the kept one (from 1), watched rows, and their loss after each pass."""

    epochs: int
    best: int
    watched: int
    losses: tuple[float, ...]


def load_model(folder: ModelFolder, *, classes: int, max_length: int, seed: int) -> Any:
    """The pretrained model with a fresh classification layer, from local safetensors only."""
    chatter.disable_progress_bar()
    chatter.set_verbosity_error()
    try:
        config = AutoConfig.from_pretrained(
            folder.path, local_files_only=True, trust_remote_code=False, num_labels=classes
        )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = AutoModelForSequenceClassification.from_pretrained(
                folder.path,
                config=config,
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                attn_implementation="eager",
                dtype=torch.float32,
            )
    except Exception as error:  # transformers raises many classes with no parent of their own
        raise corrupt("the model's folder does not load as a text classifier") from error
    most = getattr(config, "max_position_embeddings", max_length)
    if max_length > most:
        raise InvalidOption.at(
            "/learner/options/max_length",
            f"this model reads at most {most} tokens",
            code="invalid-option",
        )
    return model


def train(model: Any, rows: TrainingRows, *, options: Schedule, seed: int, job: Job) -> History:
    """Fit in place and leave the weights of the best pass in the model, on the CPU."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    trained, watched = np.flatnonzero(~rows.watched), np.flatnonzero(rows.watched)
    per_epoch = -(-len(trained) // options.batch_size)
    steps = per_epoch * options.epochs
    optimiser = torch.optim.AdamW(model.parameters(), lr=options.learning_rate, weight_decay=DECAY)
    pace = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda done: _pace(done, steps))
    losses: list[float] = []
    best: dict[str, Any] = {}
    rng = np.random.default_rng([seed, 7])
    model.to(device)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        for epoch in range(options.epochs):
            model.train()
            for step, chosen in enumerate(_batches(rng.permutation(trained), options.batch_size)):
                job.check()
                job.progress("train", epoch * per_epoch + step, steps)
                _step(model, _loss(model, rows, chosen), optimiser, pace)
            if len(watched) == 0:
                continue
            losses.append(_watched_loss(model, rows, watched))
            if losses[-1] == min(losses):
                best = copy.deepcopy(model.state_dict())
            if len(losses) - 1 - int(np.argmin(losses)) >= options.patience:
                break
    job.progress("train", steps, steps)
    if best:
        model.load_state_dict(best)
    model.to("cpu").eval()
    return History(
        epochs=epoch + 1,
        best=int(np.argmin(losses)) + 1 if losses else epoch + 1,
        watched=len(watched),
        losses=tuple(losses),
    )


def feed(tokens: Sequence[Sequence[int]], *, pad_id: int) -> tuple[Any, Any]:
    """(ids, mask) int64 tensors, padded on the right to the longest."""
    ids = torch.full((len(tokens), max(map(len, tokens))), pad_id, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, numbers in enumerate(tokens):
        ids[row, : len(numbers)] = torch.tensor(numbers)
        mask[row, : len(numbers)] = 1
    return ids, mask


def _pace(done: int, steps: int) -> float:
    """Share of the learning rate: up to 1 in the warm-up, then down to 0 in a line."""
    rising = max(1, int(WARM_UP * steps))
    return min((done + 1) / rising, (steps - done) / max(1, steps - rising))


def _batches(order: NDArray[np.intp], size: int) -> Iterator[NDArray[np.intp]]:
    for start in range(0, len(order), size):
        yield order[start : start + size]


def _loss(model: Any, rows: TrainingRows, chosen: NDArray[np.intp]) -> Any:
    """The batch's weighted mean loss."""
    device = model.device
    ids, mask = feed([rows.tokens[n] for n in chosen], pad_id=model.config.pad_token_id or 0)
    logits = model(input_ids=ids.to(device), attention_mask=mask.to(device)).logits
    weights = torch.from_numpy(rows.weights[chosen]).to(device)
    targets = torch.from_numpy(rows.targets[chosen])
    if targets.ndim > 1:
        each = torch.nn.functional.binary_cross_entropy_with_logits(
            logits, targets.float().to(device), reduction="none"
        )
    else:
        each = torch.nn.functional.cross_entropy(
            logits, targets.long().to(device), reduction="none"
        )
    return (each * weights).mean()


def _step(model: Any, loss: Any, optimiser: Any, pace: Any) -> None:
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), LARGEST_GRADIENT)
    optimiser.step()
    optimiser.zero_grad()
    pace.step()


def _watched_loss(model: Any, rows: TrainingRows, watched: NDArray[np.intp]) -> float:
    model.eval()
    with torch.no_grad():
        parts = [
            float(_loss(model, rows, chosen)) * len(chosen)
            for chosen in _batches(watched, JUDGED_AT_ONCE)
        ]
    return sum(parts) / len(watched)
