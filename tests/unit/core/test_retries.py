"""The schedule of attempts, and when an endpoint is given up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.retries import DELAYS, JITTER, LONGEST_WAIT, concluded
from core.webhooks import Delivery, Outcome

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FAILED = Outcome(status=500)


def waiting(attempts: int = 0) -> Delivery:
    return Delivery(
        id="dlv_1",
        tenant_id="ten_a",
        session_id="ses_1",
        endpoint_id="whe_1",
        event_id="evt_1",
        type="items.added",
        state="pending",
        attempts=attempts,
        next_attempt_at=NOW,
        locked_until=NOW,
        last_status=None,
        last_error=None,
        created_at=NOW,
        delivered_at=None,
    )


def test_the_schedule_is_the_specifications():
    hours = [0, 5 / 3600, 5 / 60, 0.5, 2, 5, 10, 14, 20, 24]
    assert list(DELAYS) == [round(3600 * hour) for hour in hours]


@given(st.integers(0, len(DELAYS) - 2), st.floats(0, 1, exclude_max=True))
def test_a_failure_waits_its_turn_and_a_little_longer(attempts, draw):
    after = concluded(waiting(attempts), FAILED, now=NOW, chance=lambda: draw)
    wait = (after.next_attempt_at - NOW).total_seconds()
    due = DELAYS[attempts + 1]
    assert after.state == "pending"
    assert after.locked_until is None
    assert due <= wait <= due * (1 + JITTER) + 1e-6


def test_the_last_failure_is_final():
    after = concluded(waiting(len(DELAYS) - 1), FAILED, now=NOW, chance=lambda: 0.0)
    assert (after.state, after.attempts) == ("dead", len(DELAYS))


@pytest.mark.parametrize("status", [200, 204, 299])
def test_a_success_ends_it(status):
    after = concluded(waiting(3), Outcome(status=status), now=NOW, chance=lambda: 0.0)
    assert (after.state, after.delivered_at, after.last_error) == ("delivered", NOW, None)


@pytest.mark.parametrize("status", [199, 300, 301, 304, 400])
def test_nothing_else_is_a_success(status):
    assert not Outcome(status=status).delivered


@given(st.floats(0, 1e12))
def test_no_receiver_can_ask_for_more_than_a_day(seconds):
    asked = Outcome(status=503, retry_after=seconds)
    after = concluded(waiting(), asked, now=NOW, chance=lambda: 0.0)
    assert after.next_attempt_at - NOW <= timedelta(seconds=LONGEST_WAIT)
