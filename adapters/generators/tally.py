"""One call's running account: attempts, bills, and the verdict on the answer."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.generators.answers import Answer, read_variations
from adapters.generators.trouble import Trouble
from core.budget import Price, bill
from core.generation import GenerationRequest, GenerationResult, Outcome, Variation
from core.ports import Purse

CUT_OFF = frozenset({"max_tokens", "model_context_window_exceeded"})
FINISHED = frozenset({"end_turn", "stop_sequence"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A 200: the raw body's digest, and the message where the body was one."""

    answer: Answer | None
    sha256: str
    request_id: str | None


@dataclass(slots=True, kw_only=True)
class Tally:
    """``until`` is the call's deadline on the generator's clock."""

    request: GenerationRequest
    purse: Purse
    until: float
    model: str
    attempts: int = 0
    dollars: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0
    request_id: str | None = None
    prompt_sha256: str = ""
    response_sha256: str = ""

    def settle(
        self, reservation: str, *, reply: Reply | Trouble, worst: float, price: Price
    ) -> None:
        """Bill one attempt: by its usage, at 0 where the provider did no work, and at the
        whole reservation where nobody can tell."""
        answer = reply.answer if isinstance(reply, Reply) else None
        dollars, tokens = worst, (0, 0)
        if answer and answer.input_tokens is not None and answer.output_tokens is not None:
            tokens = (answer.input_tokens, answer.output_tokens)
            dollars = bill(input_tokens=tokens[0], output_tokens=tokens[1], price=price)
        elif isinstance(reply, Trouble) and not reply.billable:
            dollars = 0.0
        self.purse.settle(
            reservation,
            dollars=dollars,
            input_tokens=tokens[0],
            output_tokens=tokens[1],
            request_id=reply.request_id,
        )
        self.dollars += dollars
        self.input_tokens += tokens[0]
        self.output_tokens += tokens[1]
        self.request_id = reply.request_id
        self.response_sha256 = reply.sha256 if isinstance(reply, Reply) else ""

    def judge(self, answer: Answer | None) -> GenerationResult:
        """Name what a settled answer is."""
        if answer is None:
            return self.end("invalid", category="malformed_answer")
        self.model = answer.model or self.model
        if answer.stop_reason == "refusal":
            return self.end("refused", category=answer.category or "unspecified")
        if answer.stop_reason in CUT_OFF:
            return self.end("truncated", category=answer.stop_reason)
        if answer.stop_reason not in FINISHED:
            return self.end("invalid", category="unexpected_stop")
        found = read_variations(answer.text, request=self.request)
        if found is None:
            kind = "malformed_answer" if answer.text else "empty_answer"
            return self.end("invalid", category=kind)
        enough = len(found) >= self.request.count
        return self.end("ok" if enough else "shortfall", variations=found)

    def end(
        self,
        outcome: Outcome,
        *,
        category: str | None = None,
        variations: tuple[Variation, ...] = (),
    ) -> GenerationResult:
        """The result, with the account of all attempts."""
        return GenerationResult(
            outcome=outcome,
            category=category,
            variations=variations,
            attempts=self.attempts,
            model=self.model,
            request_id=self.request_id,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            dollars=self.dollars,
            prompt_sha256=self.prompt_sha256,
            response_sha256=self.response_sha256,
        )
