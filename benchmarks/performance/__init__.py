"""Speed and memory against references measured in the same run; ``make bench`` prints them.

A module joins by having ``run() -> list[Row]``.
"""
