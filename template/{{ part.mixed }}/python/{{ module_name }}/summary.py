"""What is pleasant to write in Python stays in Python."""

from collections.abc import Iterable
from dataclasses import dataclass

from ._core import RunningStats


@dataclass(frozen=True)
class Summary:
    """The usual figures of a sample."""

    count: int
    mean: float
    variance: float


def summarize(values: Iterable[float]) -> Summary:
    """Go through the values once and tell count, mean and sample variance.

    >>> summarize([1, 2, 6])
    Summary(count=3, mean=3.0, variance=7.0)

    Raises:
        ValueError: there are fewer than two values.
    """
    stats = RunningStats()
    for value in values:
        stats.push(value)
    return Summary(count=stats.count, mean=stats.mean, variance=stats.variance)
