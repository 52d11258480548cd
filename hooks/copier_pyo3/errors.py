"""The exception whose message is shown to the user."""


class UserError(Exception):
    """An error with a message that says what is wrong and how to fix it."""


def visible(text: str, keep: str = "") -> str:
    """The text with escapes for characters that cannot be seen, some of which a terminal would obey."""
    return "".join(
        each if each.isprintable() or each in keep else each.encode("unicode_escape").decode() for each in text
    )


def why_git_failed(stderr: str) -> str:
    """The line of git's output that gives the reason."""
    if "No space left on device" in stderr or "Out of diskspace" in stderr:
        return "No space left on device"
    said = [line.strip() for line in stderr.splitlines() if line.strip()]
    wrong = (line for line in said if line.startswith(("fatal:", "error:")))
    return next(wrong, said[-1] if said else "git gave no reason")
