"""How much there is of what, asked of the store at each scrape of the metrics listener."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from core.ports import Store


class OperationGauges(Collector):
    """``tailwise_operations`` by kind and state; register it with the listener's registry."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def collect(self) -> Iterable[Metric]:
        gauge = GaugeMetricFamily(
            "tailwise_operations", "Operations by kind and state.", labels=["kind", "state"]
        )
        with self._store.read() as tx:
            counts = tx.operations.counts()
        for (kind, state), amount in sorted(counts.items()):
            gauge.add_metric([kind, state], amount)
        yield gauge


class WebhookGauges(Collector):
    """``tailwise_webhook_deliveries`` by state: pending, delivered, dead, discarded."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def collect(self) -> Iterable[Metric]:
        gauge = GaugeMetricFamily(
            "tailwise_webhook_deliveries", "Webhook deliveries by state.", labels=["state"]
        )
        with self._store.read() as tx:
            counts = tx.webhooks.counts()
        for state, amount in sorted(counts.items()):
            gauge.add_metric([state], amount)
        yield gauge
