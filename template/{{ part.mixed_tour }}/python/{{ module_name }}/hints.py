"""Helpers in pure Python."""

from ._core import Words


def did_you_mean(word: str, known: list[str]) -> str:
    """Return a suggestion with the closest of the known words.

    >>> did_you_mean("pythn", ["python", "rust"])
    "did you mean 'python'?"

    Raises:
        ValueError: If there are no known words.
    """
    return f"did you mean {Words(known).closest(word)!r}?"
