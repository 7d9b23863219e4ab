"""A judge that asks a language model."""

from __future__ import annotations

from dataclasses import dataclass, replace

from adapters.generators.language_model import LanguageModel
from adapters.generators.questions import build_question, opinions_schema, read_opinions
from adapters.generators.tally import Ending, Tally
from core.opinions import Judgement, Opinion, Question
from core.ports import Purse


@dataclass(kw_only=True)
class ModelJudge:
    """Questions become prompts, answers become opinions."""

    reader: LanguageModel

    @property
    def name(self) -> str:
        return self.reader.name

    @property
    def model(self) -> str:
        return self.reader.model

    def judge(self, question: Question, *, purse: Purse) -> Judgement:
        """One call; an answer cut off by ``max_tokens`` is asked for once more, for the first
        half of the texts, and the judge abstains on the rest."""
        tally = self.reader.begin(purse=purse, seed=len(question.texts))
        ending = self._ask(question, tally=tally)
        asked = question
        can_halve = len(question.texts) > 1 and self.reader.may_go_on(tally)
        if ending.outcome == "truncated" and can_halve:
            asked = replace(question, texts=question.texts[: len(question.texts) // 2])
            ending = self._ask(asked, tally=tally)
        return _judgement(ending, asked=asked, question=question, tally=tally)

    def _ask(self, question: Question, *, tally: Tally) -> Ending:
        prompt = build_question(question)
        return self.reader.complete(prompt, schema=opinions_schema(question), tally=tally)


def _judgement(ending: Ending, *, asked: Question, question: Question, tally: Tally) -> Judgement:
    if ending.outcome != "ok":
        return Judgement(outcome=ending.outcome, category=ending.category, **tally.account())
    found = read_opinions(ending.text, question=asked)
    if found is None:
        kind = "malformed_answer" if ending.text else "empty_answer"
        return Judgement(outcome="invalid", category=kind, **tally.account())
    missing = len(question.texts) - len(found)
    return Judgement(outcome="ok", opinions=(*found, *[Opinion()] * missing), **tally.account())
