"""Gauges ask the store at each scrape."""

from __future__ import annotations

from datetime import timedelta

from prometheus_client import CollectorRegistry

from core.records import Choice, LabelClass, SessionSettings, Task
from core.requests import NewSession
from runtime.gauges import GAUGES, StoreGauges
from runtime.tailwise import Tailwise


def scraped(tailwise: Tailwise) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(StoreGauges(tailwise.store, clock=tailwise.clock))
    return registry


def test_every_gauge_can_be_read_from_an_empty_store(tailwise: Tailwise) -> None:
    names = {metric.name for metric in scraped(tailwise).collect()}
    assert names == {gauge.name for gauge in GAUGES}


def test_operations_are_counted_by_kind_and_state(tailwise: Tailwise) -> None:
    classes = (LabelClass(id="a", name="a"), LabelClass(id="b", name="b"))
    settings = SessionSettings(encoder=Choice(name="hashing"))
    new = NewSession(name="s", task=Task(classes=classes), settings=settings)
    session = tailwise.create_session("ten_a", new)
    tailwise.delete_session(session, expected_revision=session.revision, request_key=None)
    labels = {"kind": "delete", "state": "succeeded"}
    assert scraped(tailwise).get_sample_value("tailwise_operations", labels) == 1


def test_a_workers_silence_is_told_in_seconds(tailwise: Tailwise) -> None:
    with tailwise.store.write() as tx:
        tx.heartbeats.beat("worker-1", now=tailwise.clock.now() - timedelta(seconds=90))
    age = scraped(tailwise).get_sample_value(
        "tailwise_worker_heartbeat_age_seconds", {"worker": "worker-1"}
    )
    assert age is not None
    assert age >= 90


def test_nothing_queued_has_waited_no_time(tailwise: Tailwise) -> None:
    assert scraped(tailwise).get_sample_value("tailwise_oldest_queued_seconds", {}) == 0
