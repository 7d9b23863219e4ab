"""What a lead sees of people's answers."""

from __future__ import annotations

from core.records import Choice, LabelClass, NewItem, PeopleSettings, Session, SessionSettings, Task
from core.requests import NewLabel, NewSession, SelectRequest
from runtime.tailwise import Tailwise

CLASSES = tuple(LabelClass(id=name, name=name) for name in ("calm", "urgent"))


def session_of(tailwise: Tailwise, *, overlap: int = 2) -> Session:
    settings = SessionSettings(
        encoder=Choice(name="hashing"),
        batch_size=6,
        people=PeopleSettings(overlap=overlap, resolution="unanimous"),
    )
    new = NewSession(name="s", task=Task(classes=CLASSES), settings=settings)
    session = tailwise.create_session("ten_a", new)
    rows = [NewItem(external_id=str(n), text=f"message {n}") for n in range(6)]
    tailwise.add_items(session, rows, on_conflict="error", mode="atomic")
    session = tailwise.session("ten_a", session.id)
    tailwise.select(
        session, SelectRequest(strategy=Choice(name="random"), min_distance=0), request_key=None
    )
    return session


def answer(tailwise: Tailwise, session: Session, person: str, labels: dict[str, str]) -> None:
    answers = [
        NewLabel(external_id=name, labels=(label,), duration_ms=1_000 * (1 + int(name)))
        for name, label in labels.items()
    ]
    result = tailwise.label(
        session, answers, annotator_id=person, mode="atomic", allow_unsolicited=False
    )
    assert result.accepted == len(labels)


def test_agreement_and_what_is_taken_for_what(tailwise: Tailwise) -> None:
    session = session_of(tailwise)
    same = {"0": "calm", "1": "urgent", "2": "calm", "3": "urgent"}
    answer(tailwise, session, "per_a", {**same, "4": "calm", "5": "calm"})
    answer(tailwise, session, "per_b", {**same, "4": "urgent", "5": "calm"})
    found = tailwise.quality(session)
    assert (found.agreement.items, found.agreement.raters, found.agreement.agreed) == (6, 2, 5)
    assert found.disagreements == (("calm", "urgent", 1),)
    assert found.by_label["calm"].alpha is not None


def test_pace_counts_every_answer_of_the_day(tailwise: Tailwise) -> None:
    session = session_of(tailwise)
    answer(tailwise, session, "per_a", {"0": "calm", "1": "calm", "2": "calm"})
    found = tailwise.quality(session)
    assert (found.answered_hour, found.answered_day, found.median_ms) == (3, 3, 2_000.0)


def test_before_anybody_answered_there_are_no_figures(tailwise: Tailwise) -> None:
    found = tailwise.quality(session_of(tailwise))
    assert found.agreement.alpha is None
    assert (found.answered_day, found.median_ms, found.skipped) == (0, None, 0)
