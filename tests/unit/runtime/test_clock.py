from datetime import timedelta

from runtime.clock import SystemClock, UlidIds


def test_the_clock_is_in_utc():
    assert SystemClock().now().utcoffset() == timedelta(0)


def test_ids_are_distinct_and_carry_their_prefix():
    ids = {UlidIds().new("ses") for _ in range(1000)}
    assert len(ids) == 1000
    assert all(id.startswith("ses_") and len(id) == 30 for id in ids)
