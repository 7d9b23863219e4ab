"""Makes what answers: the oracles that a session may name, and the one it uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from adapters.generators import ChatService
from adapters.generators.judges import judges
from core.budget import Price
from core.opinions import Question
from core.ports import Clock, Ids, Judge, Oracle, Purse, Store
from core.purse import SessionPurse
from core.records import Choice, Labels, Session
from core.registry import Registry
from oracle import Bench, oracles
from runtime.settings import Settings

LEDGER_OF_LLM: Final = "oracle:llm"
"""What the ledger calls the operation that an oracle's calls belong to."""


def chat_service(settings: Settings) -> ChatService | None:
    """The operator's own model server, where there is one."""
    if not settings.openai_base_url:
        return None
    prices = (settings.openai_input_price, settings.openai_output_price)
    return ChatService(
        base_url=settings.openai_base_url,
        api_key=settings.openai_api_key or None,
        model=settings.openai_model,
        price=Price(input=prices[0], output=prices[1]) if any(prices) else None,
    )


def _nothing(_item_ids: Sequence[str]) -> Mapping[str, Any]:
    return {}


def known_oracles(settings: Settings) -> Registry[Oracle]:
    """What a session may name; none of these is ever asked anything."""
    bench = Bench(texts=_nothing, question=Question(classes=(), multi_label=False), purse=_no_purse)
    return oracles(
        gold=_nothing, keys=_nothing, class_ids=(), judges=_judges(settings), bench=bench
    )


def _no_purse(judge: Judge, max_dollars: float | None) -> Purse:
    raise NotImplementedError


def _judges(settings: Settings) -> Registry[Judge]:
    """Models that may judge, "auto" included."""
    chat = chat_service(settings)
    registry = judges(
        anthropic_key=settings.anthropic_api_key or None,
        anthropic_base_url=settings.anthropic_base_url or None,
        chat=chat,
    )
    name = "openai_compatible" if chat and not settings.anthropic_api_key else "anthropic"
    registry.register("auto", registry.get(name).make, summary=f"{name}, on this server.")
    return registry


def oracle_for(
    session: Session,
    noise: float | None,
    *,
    settings: Settings,
    store: Store,
    clock: Clock,
    ids: Ids,
) -> Oracle:
    """The session's oracle; ``noise`` overrides its setting."""

    def gold(item_ids: Sequence[str]) -> Mapping[str, Labels]:
        with store.read() as tx:
            return tx.items.gold(session.id, item_ids)

    def read(item_ids: Sequence[str], field: str) -> Mapping[str, str]:
        with store.read() as tx:
            found = tx.items.by_ids(session.id, item_ids)
        return {item_id: getattr(item, field) for item_id, item in found.items()}

    choice = session.settings.oracle
    if noise is not None:
        choice = Choice(name=choice.name, options={**choice.options, "noise": noise})
    known = oracles(
        gold=gold,
        keys=partial(read, field="external_id"),
        class_ids=session.task.class_ids,
        judges=_judges(settings),
        bench=Bench(
            texts=partial(read, field="text"),
            question=_question(session),
            purse=partial(_judge_purse, session, store=store, clock=clock, ids=ids),
        ),
    )
    return known.make(choice)


def _question(session: Session) -> Question:
    return Question(
        classes=session.task.classes,
        multi_label=session.task.multi_label,
        guidelines=session.guidelines,
    )


def _judge_purse(
    session: Session,
    judge: Judge,
    max_dollars: float | None,
    *,
    store: Store,
    clock: Clock,
    ids: Ids,
) -> Purse:
    """One ledger entry per session, so that ``max_dollars`` covers all its batches."""
    return SessionPurse(
        session,
        operation_id=LEDGER_OF_LLM,
        generator=judge.name,
        model=judge.model,
        max_dollars=max_dollars,
        store=store,
        clock=clock,
        ids=ids,
    )
