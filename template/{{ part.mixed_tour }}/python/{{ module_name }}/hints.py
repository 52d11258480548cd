"""What is easier to write in Python stays in Python."""

from ._core import Words


def did_you_mean(word: str, known: list[str]) -> str:
    """Ask whether the closest of the known words was meant.

    >>> did_you_mean("pythn", ["python", "rust"])
    "did you mean 'python'?"

    Raises:
        ValueError: there are no known words.
    """
    return f"did you mean {Words(known).closest(word)!r}?"
