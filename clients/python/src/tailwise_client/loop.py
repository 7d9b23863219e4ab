"""The loop as one call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tailwise_client.answering import Annotate, Patience
from tailwise_client.binding import verb
from tailwise_client.playing import Plan, Review, Round, play
from tailwise_client.steps import Flow
from tailwise_client.verbs.session import SessionVerbs


class LoopVerbs(SessionVerbs):
    """A session's verbs, and the loop over them."""

    @verb
    def run_loop(
        self,
        *,
        annotate: Annotate | None = None,
        rounds: int = 1,
        size: int | None = None,
        generate: bool = True,
        review: Review = "screened",
        on_round: Callable[[Round], Any] | None = None,
        save_every: int = 1,
        every_s: float = 2.0,
        timeout: float | None = None,
    ) -> Flow[tuple[Round, ...]]:
        """Play rounds until the session has had ``rounds`` of them; one record for each.

        A round selects a batch, has it answered, has variations written and reviewed, and
        trains. The call looks where the session stands first: a round that broke off is
        finished, and a session that has had its rounds is left alone. So a program that was
        stopped is just started again. It ends early when nothing is left to select.

        ``annotate(item)`` answers with a class, several, or ``Skip``; each answer is stored
        before the next item comes (``save_every`` stores that many at once), and none is
        stored twice. "oracle" asks the session's own (gold, llm, panel; needs the scope oracle),
        and people about what that leaves to them. None: people answer elsewhere, and the call
        waits for them, looking every ``every_s`` seconds, for ``timeout`` seconds at most (then
        it raises TimedOut).
        ``size`` is the batch size, by default the session's. ``review`` decides on variations:
        "screened" keeps what passed every screen, "people" waits for reviewers, "leave" trains
        without what nobody reviewed, and a callable answers "accept", "reject" or a
        ``Decision``. In an asynchronous client the callables may be coroutines.
        """
        plan = Plan(
            annotate=annotate,
            rounds=rounds,
            size=size,
            generate=generate,
            review=review,
            on_round=on_round,
            save_every=save_every,
            patience=Patience(every_s=every_s, timeout_s=timeout),
        )
        return play(self, plan)


run_loop = LoopVerbs.run_loop
"""``run_loop(session, annotate=…)``, for either client's session."""
