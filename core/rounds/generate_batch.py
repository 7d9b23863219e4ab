"""Generate in batches: hand all calls in at once, wait for them, and write down what came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any, Final

from core.errors import Cancelled, Gone, JobFailed, ProviderTrouble
from core.events import announce
from core.found_again import search
from core.handing_in import Post, fetch, find_row, hand_in, wait_for
from core.provider_batches import Fetched, HandedIn
from core.records import Operation, Options, Template
from core.seeding import SeedPlan
from core.submission import conclude
from core.variations import Call, Desk, call_for, counts, remembered, totals, write_down

WAVES: Final = 2
"""What was errored or expired is handed in once more."""

STOPPING: Final = timedelta(minutes=30)
"""How long a cancelled operation waits for its batch to end, to keep what is finished."""


@dataclass(slots=True, kw_only=True)
class Sorter:
    """What is known so far: outcomes by seed number, and the batches that were handed in."""

    plans: Mapping[int, SeedPlan]
    desk: Desk
    post: Post
    outcomes: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    batches: list[HandedIn] = field(default_factory=list)
    calls: dict[int, Call] = field(default_factory=dict)
    fates: dict[str, int] = field(default_factory=dict)


def generate_batch(
    operation: Operation, *, desk: Desk, plans: Sequence[SeedPlan], post: Post
) -> Options:
    """Have every planned seed's variations written at the batch price, within about a day.

    A killed run goes on where it was: nothing is handed in or paid twice. Where the budget
    allows fewer calls, the first ones are made. A cancelled one stops the batch at the
    provider and keeps what was finished. Raises JobFailed ``batch-too-large`` or
    ``upstream-unavailable``.
    """
    places = {seed["item_id"]: n for n, seed in enumerate(operation.input["seeds"])}
    sorter = Sorter(plans={places[p.item.id]: p for p in plans}, desk=desk, post=post)
    try:
        _run(sorter)
    except Cancelled as error:
        left = _keep_finished(sorter)
        raise Cancelled(error.detail, extras=_result(sorter) | {"left": left}) from None
    result = _result(sorter)
    if result["outcomes"] and set(result["outcomes"]) <= {"unavailable"}:
        raise JobFailed(
            "not one call of the batch was answered", code="upstream-unavailable", extras=result
        )
    data = {name: result[name] for name in ("proposed", "accepted", "dropped")}
    data["operation_id"] = operation.id
    with desk.store.write() as tx:
        announce(tx, desk.session, "generation.completed", data, clock=desk.clock)
        conclude(tx, operation, "succeeded", result=result, now=desk.clock.now())
    return result


def _run(sorter: Sorter) -> None:
    todo = list(sorter.plans)
    failed: Mapping[int, Fetched] = {}
    for wave in range(WAVES):
        sorter.post.job.progress("hand-in", 0, len(todo))
        row = hand_in(sorter.post, partial(_calls, sorter, todo), wave=wave)
        if wave == 0:
            _tell_unpaid(sorter, row)
        found: Mapping[int, Fetched] = {}
        if row is not None:
            wait_for(sorter.post, row)
            found = _fetched(sorter, row)
        todo = [n for n, one in found.items() if one.again and wave + 1 < WAVES]
        _store(sorter, {n: one for n, one in found.items() if n not in todo})
        # Those that the budget did not allow a second time.
        _store(sorter, {n: one for n, one in failed.items() if n not in found})
        failed = {n: found[n] for n in todo}
        if not todo:
            return


def _calls(sorter: Sorter, todo: Sequence[int], numbers: Sequence[int] | None) -> list[Call]:
    """What to ask now for the seeds that are still there."""
    wanted = todo if numbers is None else numbers
    return [
        call_for(number, sorter.plans[number], desk=sorter.desk)
        for number in wanted
        if number in sorter.plans
    ]


def _as_sent(sorter: Sorter, row: HandedIn) -> list[Call]:
    """The calls of a batch as they were when it was sent, without seeds deleted since."""
    task, template = sorter.desk.session.task, _template(sorter.desk, row)
    calls = []
    for sent in row.calls:
        if sent.seed_number not in sorter.plans:
            continue
        call = call_for(sent.seed_number, sorter.plans[sent.seed_number], desk=sorter.desk)
        request = replace(
            call.request,
            contrast=task.get(sent.contrast) if sent.contrast in task.class_ids else None,
            attributes=sent.attributes,
            seed=sent.chance,
            template=template,
        )
        calls.append(replace(call, request=request, example_ids=sent.example_ids))
    return calls


def _template(desk: Desk, row: HandedIn) -> Template:
    """In the version that was sent; a tenant may have written another since."""
    now = desk.context.template
    if now.version == row.template_version:
        return now
    with desk.store.read() as tx:
        versions = tx.templates.list(desk.session.tenant_id)
    wanted = (now.id, row.template_version)
    return next((t for t in versions if (t.id, t.version) == wanted), now)


def _fetched(sorter: Sorter, row: HandedIn) -> Mapping[int, Fetched]:
    prompts = {sent.seed_number: sent.prompt_sha256 for sent in row.calls}
    calls = _as_sent(sorter, row)
    found = fetch(sorter.post, row, calls)
    sorter.calls.update({call.number: call for call in calls})
    sorter.batches.append(row)
    for one in found.values():
        fate = one.result.category if one.result.outcome == "unavailable" else "succeeded"
        sorter.fates[str(fate)] = sorter.fates.get(str(fate), 0) + 1
    return {
        n: replace(one, result=replace(one.result, prompt_sha256=prompts[n]))
        for n, one in found.items()
    }


def _store(sorter: Sorter, found: Mapping[int, Fetched], *, durable: bool = True) -> None:
    """One durable step per seed, in the order of the seeds, whatever order answers came in."""
    job, calls = sorter.post.job, sorter.calls
    for done, number in enumerate(sorted(found)):
        write = partial(_write, calls[number], found[number], desk=sorter.desk)
        if durable:
            job.progress("generate", done, len(found))
            sorter.outcomes[number] = job.step(f"seed-{number}", write)
        else:
            sorter.outcomes[number] = write()


def _write(call: Call, fetched: Fetched, *, desk: Desk) -> dict[str, Any]:
    known = remembered(call.number, call.plan, desk=desk)
    return known or write_down(call, fetched.result, desk=desk)


def _tell_unpaid(sorter: Sorter, row: HandedIn | None) -> None:
    """The first call that the budget did not allow, as the direct way tells it."""
    sent = {call.seed_number for call in row.calls} if row else set()
    left = sorted(set(sorter.plans) - sent)
    if left:
        plan = sorter.plans[left[0]]
        sorter.outcomes[left[0]] = counts(plan, (), outcome="over_budget", category=None)


def _keep_finished(sorter: Sorter) -> list[str]:
    """Stop what runs at the provider and keep its answers; ids of batches that had to be left.

    A session that is being deleted keeps nothing: its purge sees to its batches.
    """
    left = []
    sorter.batches.clear()
    sorter.fates.clear()
    for wave in range(WAVES):
        row = find_row(sorter.post, wave)
        if row is None or _is_leaving(sorter):
            continue
        try:
            _store(sorter, _fetched(sorter, _stopped(sorter, row)), durable=False)
        except (JobFailed, ProviderTrouble, Gone):
            left.append(row.provider_id or row.id)
    return left


def _stopped(sorter: Sorter, row: HandedIn) -> HandedIn:
    post = sorter.post
    if row.provider_id is None:
        found, _ = search(row, counter=post.writer.counter, store=post.store)
        if found is None:
            raise ProviderTrouble("never_named", passing=False)
        row = post.save(replace(row, state="sent", provider_id=found))
    if row.state == "sent":
        # It may have ended just now: looking at it tells.
        with suppress(ProviderTrouble):
            post.writer.counter.stop(row.provider_id or "")
        wait_for(post, row, until=STOPPING, check=False)
    return row


def _is_leaving(sorter: Sorter) -> bool:
    session = sorter.desk.session
    try:
        with sorter.desk.store.read() as tx:
            return tx.sessions.get(session.tenant_id, session.id).state == "deleting"
    except Gone:
        return True


def _result(sorter: Sorter) -> dict[str, Any]:
    told = [sorter.outcomes[number] for number in sorted(sorter.outcomes)]
    ids = list(dict.fromkeys(row.provider_id for row in sorter.batches))
    return {
        **totals(told, desk=sorter.desk, asked=list(sorter.plans.values())),
        "batches": ids,
        "answers": dict(sorted(sorter.fates.items())),
    }
