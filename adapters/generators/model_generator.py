"""A generator that asks a language model."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.generators.answers import read_variations
from adapters.generators.language_model import LanguageModel
from adapters.generators.prompts import answer_schema, build_prompt
from adapters.generators.tally import Ending, Tally
from core.generation import Estimate, GenerationRequest, GenerationResult, Outcome
from core.ports import Purse


@dataclass(kw_only=True)
class ModelGenerator:
    """Templates become prompts, answers become variations."""

    writer: LanguageModel

    @property
    def name(self) -> str:
        return self.writer.name

    @property
    def model(self) -> str:
        return self.writer.model

    @property
    def paid(self) -> bool:
        return self.writer.paid

    def estimate(self, request: GenerationRequest) -> Estimate:
        """The worst case of one attempt."""
        return self.writer.estimate(build_prompt(request, count=request.count))

    def generate(self, request: GenerationRequest, *, purse: Purse) -> GenerationResult:
        """One call; an answer cut off by ``max_tokens`` is asked for once more, by half."""
        tally = self.writer.begin(purse=purse, seed=request.seed)
        ending = self._ask(request, count=request.count, tally=tally)
        can_halve = request.count > 1 and self.writer.may_go_on(tally)
        if ending.outcome == "truncated" and can_halve:
            ending = self._ask(request, count=request.count // 2, tally=tally)
        return result_of(ending, request=request, tally=tally)

    def _ask(self, request: GenerationRequest, *, count: int, tally: Tally) -> Ending:
        prompt = build_prompt(request, count=count)
        schema = answer_schema(request.template.level)
        return self.writer.complete(prompt, schema=schema, tally=tally)


def result_of(ending: Ending, *, request: GenerationRequest, tally: Tally) -> GenerationResult:
    """What a call gave, whose model said what ``ending`` tells."""
    if ending.outcome != "ok":
        return GenerationResult(outcome=ending.outcome, category=ending.category, **tally.account())
    found = read_variations(ending.text, request=request)
    if found is None:
        kind = "malformed_answer" if ending.text else "empty_answer"
        return GenerationResult(outcome="invalid", category=kind, **tally.account())
    outcome: Outcome = "ok" if len(found) >= request.count else "shortfall"
    return GenerationResult(outcome=outcome, variations=found, **tally.account())
