from contextlib import contextmanager
from types import SimpleNamespace

from prometheus_client import CollectorRegistry

from runtime.gauges import OperationGauges


class Store:
    @contextmanager
    def read(self):
        counts = {("retrain", "running"): 1, ("index", "succeeded"): 4}
        yield SimpleNamespace(operations=SimpleNamespace(counts=lambda: counts))


def test_operations_are_counted_by_kind_and_state_when_scraped():
    registry = CollectorRegistry()
    registry.register(OperationGauges(Store()))
    labels = {"kind": "index", "state": "succeeded"}
    assert registry.get_sample_value("tailwise_operations", labels) == 4
