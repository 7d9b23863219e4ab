"""How much there is of what, asked of the store at each scrape of the metrics listener."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from core.ports import Clock, Repositories, Store

Values = Mapping[tuple[str, ...], float]
"""Values by the values of the gauge's labels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """One metric: ``read`` gets the repositories and the present time."""

    name: str
    help: str
    read: Callable[[Repositories, datetime], Values]
    labels: Sequence[str] = ()


def _operations(tx: Repositories, _now: datetime) -> Values:
    return tx.operations.counts()  # type: ignore[return-value]  # its keys are pairs


def _oldest_queued(tx: Repositories, now: datetime) -> Values:
    waiting = tx.operations.queued(limit=1)
    age = (now - waiting[0].created_at).total_seconds() if waiting else 0.0
    return {(): max(0.0, age)}


def _heartbeats(tx: Repositories, now: datetime) -> Values:
    return {(w,): (now - beat).total_seconds() for w, beat in tx.heartbeats.latest().items()}


def _deliveries(tx: Repositories, _now: datetime) -> Values:
    return {(state,): amount for state, amount in tx.webhooks.counts().items()}


def _leases(tx: Repositories, now: datetime) -> Values:
    return {(): tx.assignments.leased_count(now=now)}


GAUGES = (
    Gauge(
        name="tailwise_operations",
        help="Operations by kind and state.",
        labels=("kind", "state"),
        read=_operations,
    ),
    Gauge(
        name="tailwise_oldest_queued_seconds",
        help="How long the oldest queued operation has waited; 0 when none waits.",
        read=_oldest_queued,
    ),
    Gauge(
        name="tailwise_worker_heartbeat_age_seconds",
        help="Seconds since each worker last said that it lives.",
        labels=("worker",),
        read=_heartbeats,
    ),
    Gauge(
        name="tailwise_webhook_deliveries",
        help="Webhook deliveries by state: pending, delivered, dead, discarded.",
        labels=("state",),
        read=_deliveries,
    ),
    Gauge(
        name="tailwise_leases_active",
        help="Items that people hold now.",
        read=_leases,
    ),
)


class StoreGauges(Collector):
    """Every gauge of ``GAUGES``, read in one transaction per scrape."""

    def __init__(self, store: Store, *, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def describe(self) -> Iterable[Metric]:
        """Names without values, so that registering asks the store nothing."""
        return [_family(gauge) for gauge in GAUGES]

    def collect(self) -> Iterable[Metric]:
        now = self._clock.now()
        with self._store.read() as tx:
            values = [(gauge, gauge.read(tx, now)) for gauge in GAUGES]
        for gauge, found in values:
            family = _family(gauge)
            for labels, value in sorted(found.items()):
                family.add_metric(list(labels), value)
            yield family


def _family(gauge: Gauge) -> GaugeMetricFamily:
    return GaugeMetricFamily(gauge.name, gauge.help, labels=list(gauge.labels))
