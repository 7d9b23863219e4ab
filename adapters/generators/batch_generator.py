"""A generator whose calls are handed in together, at the batch price, and fetched later."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from adapters.generators.anthropic_batches import AnthropicBatches
from adapters.generators.anthropic_messages import AnthropicEndpoint
from adapters.generators.batch_answers import read_line
from adapters.generators.language_model import LanguageModel
from adapters.generators.model_generator import result_of
from adapters.generators.prices import load_batch_factor
from adapters.generators.prompts import answer_schema, build_prompt
from adapters.generators.tally import Ending, Reply, Tally
from adapters.generators.trouble import Trouble
from core.budget import FREE
from core.errors import Conflict, JobFailed, ProviderTrouble
from core.generation import Estimate, GenerationRequest, GenerationResult
from core.ports import Purse
from core.provider_batches import BatchView, Fetched, Parcel, Patience
from core.records import Options
from core.registry import check_option

MAX_REQUESTS: Final = 100_000
MAX_BATCH_BYTES: Final = 256_000_000
ALONE: Final = "alone"


def anthropic_batches(
    *,
    api_key: str | None,
    base_url: str | None,
    model: str,
    timeout_s: float,
    max_tokens: int,
    patience: Patience,
) -> BatchModelGenerator:
    """Claude in batches. Raises InvalidOption, and Conflict ``generator-not-configured``."""
    endpoint = AnthropicEndpoint(
        api_key=api_key, base_url=base_url, model=model, price_factor=load_batch_factor()
    )
    counter = AnthropicBatches(api_key=api_key or "", base_url=base_url, timeout_s=timeout_s)
    return BatchModelGenerator(
        endpoint=endpoint, counter=counter, max_tokens=max_tokens, patience=patience
    )


@dataclass(kw_only=True)
class BatchModelGenerator:
    """``endpoint`` says what is sent, ``counter`` where to; prices are the batch's.

    ``generate`` hands in a batch of one and waits, remembering nothing: an operation of the
    service uses the other methods and keeps record between them.

    Raises:
        InvalidOption: an option is out of range.
    """

    endpoint: AnthropicEndpoint
    counter: AnthropicBatches
    max_tokens: int = 2048
    patience: Patience = field(default_factory=Patience)
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        waits = self.patience
        check_option("poll_s", waits.poll_s, of=(int, float), least=0.01, most=3600)
        check_option(
            "poll_most_s", waits.poll_most_s, of=(int, float), least=waits.poll_s, most=3600
        )
        check_option("settle_s", waits.settle_s, of=(int, float), least=0, most=3600)
        # It checks its limits, and knows how to price a prompt.
        self._gauge = LanguageModel(
            endpoint=self.endpoint, timeout_s=self.counter.timeout_s, max_tokens=self.max_tokens
        )

    @property
    def name(self) -> str:
        return self.endpoint.name

    @property
    def model(self) -> str:
        return self.endpoint.model

    @property
    def paid(self) -> bool:
        return True

    def estimate(self, request: GenerationRequest) -> Estimate:
        """The worst case of one sending."""
        return self._gauge.estimate(build_prompt(request, count=request.count))

    def pack(self, calls: Mapping[str, GenerationRequest]) -> Parcel:
        prompts = {key: build_prompt(call, count=call.count) for key, call in calls.items()}
        bodies = {
            key: self.endpoint.body(
                prompt,
                schema=answer_schema(calls[key].template.level),
                max_tokens=self.max_tokens,
            )
            for key, prompt in prompts.items()
        }
        _require_room(bodies)
        return Parcel(
            bodies=bodies,
            prompts={key: prompt.sha256 for key, prompt in prompts.items()},
            dollars={key: self._gauge.estimate(prompt).dollars for key, prompt in prompts.items()},
        )

    def hand_in(self, parcel: Parcel) -> BatchView:
        return self.counter.create(parcel)

    def fetch(
        self, batch_id: str, *, calls: Mapping[str, GenerationRequest]
    ) -> Mapping[str, Fetched]:
        found: dict[str, Fetched] = {}
        with self.counter.lines(batch_id, size=len(calls)) as lines:
            for line in lines:
                read = read_line(line, request_id=batch_id)
                if read is not None and read.custom_id in calls:
                    request = calls[read.custom_id]
                    found[read.custom_id] = self._fetched(read.outcome, request=request)
        lost = Trouble(category="no_answer", retryable=False, billable=True, request_id=batch_id)
        missing = {key: call for key, call in calls.items() if key not in found}
        return found | {k: self._fetched(lost, request=call) for k, call in missing.items()}

    def generate(self, request: GenerationRequest, *, purse: Purse) -> GenerationResult:
        parcel = self.pack({ALONE: request})
        prompt_sha256 = parcel.prompts[ALONE]
        try:
            reservation = purse.reserve(parcel.dollars[ALONE])
        except Conflict as error:
            if error.code != "budget-exceeded":
                raise
            return GenerationResult(outcome="over_budget", prompt_sha256=prompt_sha256)
        result = self._alone(parcel, request=request)
        purse.settle(
            reservation,
            dollars=result.dollars,
            input_tokens=result.input_tokens,
            output_tokens=result.output_tokens,
            request_id=result.request_id,
        )
        return result

    def _alone(self, parcel: Parcel, *, request: GenerationRequest) -> GenerationResult:
        billable = False
        try:
            batch = self.hand_in(parcel)
            billable = True
            found = self.fetch(self._ended(batch).id, calls={ALONE: request})
        except ProviderTrouble as error:
            return GenerationResult(
                outcome="unavailable",
                category=error.category,
                model=self.model,
                dollars=parcel.dollars[ALONE] if billable or error.unsure else 0.0,
                prompt_sha256=parcel.prompts[ALONE],
            )
        return found[ALONE].result

    def _ended(self, batch: BatchView) -> BatchView:
        pauses = list(self.patience.pauses())
        while not batch.ended:
            self.sleep(pauses.pop(0) if len(pauses) > 1 else pauses[0])
            batch = self.counter.look(batch.id)
        return batch

    def _fetched(self, outcome: Reply | Trouble, *, request: GenerationRequest) -> Fetched:
        """As a direct call's, with its bill at the batch price."""
        prompt = build_prompt(request, count=request.count)
        tally = Tally(purse=_Elsewhere(), until=0.0, model=self.model, attempts=1)
        tally.prompt_sha256 = prompt.sha256
        worst = self._gauge.estimate(prompt).dollars
        tally.count(reply=outcome, worst=worst, price=self.endpoint.price or FREE)
        if isinstance(outcome, Trouble):
            ending = Ending(outcome="unavailable", category=outcome.category)
            again = outcome.retryable
        else:
            ending, again = tally.read(outcome.answer), False
        return Fetched(result=result_of(ending, request=request, tally=tally), again=again)


class _Elsewhere:
    """The money of a whole batch is reserved and settled by whoever hands it in."""

    def reserve(self, dollars: float) -> str:
        raise NotImplementedError

    def settle(self, reservation: str, **bill: object) -> None:
        raise NotImplementedError


def _require_room(bodies: Mapping[str, Options]) -> None:
    """Raises JobFailed ``batch-too-large`` before anything is reserved or sent."""
    size = sum(
        len(json.dumps({"custom_id": key, "params": body}, ensure_ascii=False).encode()) + 1
        for key, body in bodies.items()
    )
    if len(bodies) > MAX_REQUESTS or size > MAX_BATCH_BYTES:
        raise JobFailed(
            f"a batch takes at most {MAX_REQUESTS:,} calls and {MAX_BATCH_BYTES:,} bytes; these"
            f" are {len(bodies):,} calls and {size:,} bytes: name fewer items at once",
            code="batch-too-large",
            extras={"calls": len(bodies), "bytes": size},
        )
