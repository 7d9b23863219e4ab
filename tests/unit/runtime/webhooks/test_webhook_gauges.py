"""What the metrics listener says of webhooks."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest

from runtime.gauges import StoreGauges


def test_deliveries_are_counted_by_state(post):
    endpoint = post.endpoint("http://127.0.0.1:9/")
    post.announce()
    post.verbs.test("ten_a", endpoint)
    registry = CollectorRegistry()
    registry.register(StoreGauges(post.desk.store, clock=post.clock))
    assert 'tailwise_webhook_deliveries{state="pending"} 2.0' in generate_latest(registry).decode()
