"""Handing calls in at a provider of batches: sent once, found again, waited for, fetched.

A row says that a batch is about to be sent before it is, and holds its money. A run that
finds such a row without the provider's name for it looks at the provider first: calls of
ours carry the operation's id in their custom ids, which can be read once a batch has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from core.errors import Cancelled, Conflict, JobFailed, ProviderTrouble
from core.found_again import search
from core.ports import BatchWriter, Clock, Job, Store
from core.provider_batches import BatchView, Fetched, HandedCall, HandedIn, Parcel
from core.purse import SessionPurse
from core.records import Operation
from core.variations import Call

LATEST: Final = timedelta(hours=26)
"""A provider ends a batch within 24 hours of its creation."""

SLICE_S: Final = 1.0
TRIES: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """What handing in needs; ``pause`` waits that many seconds."""

    operation: Operation
    writer: BatchWriter
    purse: SessionPurse
    store: Store
    clock: Clock
    pause: Callable[[float], None]
    job: Job

    def rest(self, seconds: float, *, check: bool = True) -> None:
        """Wait in slices; raises Cancelled in between unless ``check`` is false."""
        while seconds > 0:
            self.pause(min(seconds, SLICE_S))
            seconds -= SLICE_S
            try:
                self.job.check()
            except Cancelled:
                if check:
                    raise

    def save(self, row: HandedIn) -> HandedIn:
        with self.store.write() as tx:
            tx.provider_batches.save(row)
        return row


def _row_id(operation: Operation, wave: int) -> str:
    return f"pbt_{operation.id.partition('_')[2]}{'' if wave == 0 else 'r'}"


def find_row(post: Post, wave: int) -> HandedIn | None:
    """What an earlier run wrote down about the batch of this wave."""
    with post.store.read() as tx:
        return tx.provider_batches.get(_row_id(post.operation, wave))


def hand_in(
    post: Post, calls: Callable[[Sequence[int] | None], Sequence[Call]], *, wave: int
) -> HandedIn | None:
    """The batch of this wave, sent exactly once; None where the budget allows no call of it.

    ``calls`` gives the calls of these seed numbers, or all that are to be made. Raises
    JobFailed ``batch-too-large`` or ``upstream-unavailable``, and Cancelled.
    """
    row = find_row(post, wave)
    if row is None:
        row, parcel = _reserve(post, calls(None), wave=wave)
        return row and _send(post, row, parcel)
    if row.provider_id is not None:
        return row
    if found := _look_for(post, row):
        return post.save(replace(row, state="sent", provider_id=found))
    again = calls([call.seed_number for call in row.calls])
    parcel = post.writer.pack({row.custom_id(c.number): c.request for c in again})
    return _send(post, _described(row, again, parcel=parcel), parcel)


def _reserve(post: Post, calls: Sequence[Call], *, wave: int) -> tuple[HandedIn | None, Parcel]:
    """The first calls that the budget allows, with their row; the row and its reservation are
    one write."""
    empty = _empty_row(post, wave=wave)
    parcel = post.writer.pack({empty.custom_id(c.number): c.request for c in calls})
    while calls:
        row = _described(empty, calls, parcel=parcel)
        worst = [parcel.dollars[row.custom_id(c.number)] for c in calls]
        try:
            cost_id = post.purse.reserve(
                sum(worst),
                alongside=lambda tx, cost, row=row: tx.provider_batches.add(  # type: ignore[misc]
                    replace(row, cost_id=cost)
                ),
            )
        except Conflict as error:
            if error.code != "budget-exceeded":
                raise
            calls = calls[: _fitting(worst, error)]
            continue
        sent = {key: parcel.bodies[key] for key in map(row.custom_id, _numbers(calls))}
        return replace(row, cost_id=cost_id), replace(parcel, bodies=sent)
    return None, parcel


def _fitting(worst: Sequence[float], refused: Conflict) -> int:
    """How many of the calls, from the first, what is left allows; fewer than all."""
    left = float(str(refused.extras["limit"])) - float(str(refused.extras["spent"]))
    total = 0.0
    for number, dollars in enumerate(worst[:-1]):
        total += dollars
        if total > left:
            return number
    return len(worst) - 1


def _send(post: Post, row: HandedIn, parcel: Parcel) -> HandedIn:
    for _ in range(TRIES):
        row = post.save(replace(row, sent_at=post.clock.now()))
        try:
            found: str | None = _taken(post, parcel)
        except Cancelled:
            _call_off(post, row)
            raise
        except ProviderTrouble as error:
            if not error.unsure:
                _call_off(post, row)
                raise _unavailable(error, row) from None
            found = _look_for(post, row)
        if found is not None:
            return post.save(replace(row, state="sent", provider_id=found))
    _call_off(post, row)
    raise _unavailable(ProviderTrouble("not_taken", passing=True), row)


def _taken(post: Post, parcel: Parcel) -> str:
    """Send, and again while the provider says for sure that it took nothing."""
    pauses = list(post.writer.patience.pauses())
    for attempt in range(TRIES):
        try:
            return post.writer.hand_in(parcel).id
        except ProviderTrouble as error:
            if error.unsure or not error.passing or attempt == TRIES - 1:
                raise
        post.rest(pauses[min(attempt, len(pauses) - 1)])
    raise AssertionError


def _call_off(post: Post, row: HandedIn) -> None:
    """Nothing was sent: the money is free again."""
    post.purse.settle(row.cost_id, dollars=0.0, input_tokens=0, output_tokens=0, request_id=None)
    with post.store.write() as tx:
        tx.provider_batches.remove(row.id)


def _look_for(post: Post, row: HandedIn) -> str | None:
    """The provider's id of a batch whose sending was cut off; None once it is sure that it
    took none. Waits while one that may be ours still runs."""
    settled = row.sent_at + timedelta(seconds=post.writer.patience.settle_s)
    for pause in _pauses(post):
        try:
            found, sure = search(row, counter=post.writer.counter, store=post.store)
        except ProviderTrouble as error:
            if not error.passing:
                raise _unavailable(error, row) from None
            found, sure = None, False
        now = post.clock.now()
        if found or (sure and now >= settled):
            return found
        if now > row.sent_at + LATEST:
            raise _unavailable(ProviderTrouble("not_found_again", passing=True), row)
        post.rest(pause)
    return None


def wait_for(post: Post, row: HandedIn, *, until: timedelta = LATEST, check: bool = True) -> None:
    """Until the batch has ended; ``until`` counts from now where ``check`` is false, and from
    its sending otherwise. Progress is what the provider counts."""
    last = (row.sent_at if check else post.clock.now()) + until
    for pause in _pauses(post):
        view = _look(post, row)
        if view is not None:
            done = view.counts.total - view.counts.processing
            post.job.progress("wait", done, view.counts.total)
            if view.ended:
                return
        if post.clock.now() > last:
            raise _unavailable(ProviderTrouble("never_ended", passing=True), row)
        post.rest(pause, check=check)


def _look(post: Post, row: HandedIn) -> BatchView | None:
    try:
        return post.writer.counter.look(row.provider_id or "")
    except ProviderTrouble as error:
        if not error.passing:
            raise _unavailable(error, row) from None
        return None


def fetch(post: Post, row: HandedIn, calls: Sequence[Call]) -> Mapping[int, Fetched]:
    """What became of each call by seed number; the batch is paid for, once."""
    wanted = {row.custom_id(call.number): call for call in calls}
    found = _fetched(post, row, wanted)
    if row.state != "read":
        results = [fetched.result for fetched in found.values()]
        post.purse.settle(
            row.cost_id,
            dollars=sum(result.dollars for result in results),
            input_tokens=sum(result.input_tokens for result in results),
            output_tokens=sum(result.output_tokens for result in results),
            request_id=row.provider_id,
        )
        post.save(replace(row, state="read"))
    return {wanted[key].number: fetched for key, fetched in found.items()}


def _fetched(post: Post, row: HandedIn, wanted: Mapping[str, Call]) -> Mapping[str, Fetched]:
    requests = {key: call.request for key, call in wanted.items()}
    for attempt, pause in enumerate(_pauses(post)):
        try:
            return post.writer.fetch(row.provider_id or "", calls=requests)
        except ProviderTrouble as error:
            if not error.passing or attempt == TRIES:
                raise _unavailable(error, row) from None
        post.rest(pause)
    raise AssertionError


def _pauses(post: Post) -> Iterator[float]:
    pauses = post.writer.patience.pauses()
    yield from pauses
    while True:
        yield pauses[-1]


def _empty_row(post: Post, *, wave: int) -> HandedIn:
    operation = post.operation
    return HandedIn(
        id=_row_id(operation, wave),
        tenant_id=operation.tenant_id,
        session_id=operation.session_id,
        operation_id=operation.id,
        wave=wave,
        state="sending",
        generator=post.writer.name,
        provider_id=None,
        size=0,
        cost_id="",
        template_version=0,
        calls=(),
        sent_at=post.clock.now(),
    )


def _described(row: HandedIn, calls: Sequence[Call], *, parcel: Parcel) -> HandedIn:
    """The row with what the answers of these calls must be read with."""
    return replace(
        row,
        size=len(calls),
        template_version=calls[0].request.template.version if calls else 0,
        calls=tuple(
            HandedCall(
                seed_number=call.number,
                item_id=call.plan.item.id,
                example_ids=call.example_ids,
                contrast=call.request.contrast.id if call.request.contrast else None,
                attributes=call.request.attributes,
                chance=call.request.seed,
                prompt_sha256=parcel.prompts[row.custom_id(call.number)],
            )
            for call in calls
        ),
    )


def _numbers(calls: Sequence[Call]) -> list[int]:
    return [call.number for call in calls]


def _unavailable(error: ProviderTrouble, row: HandedIn) -> JobFailed:
    name = row.provider_id or "without a name yet"
    return JobFailed(
        f"the provider of batches answered {error.category} for the batch {name}",
        code="upstream-unavailable",
        extras={"category": error.category, "batch": row.provider_id},
    )
