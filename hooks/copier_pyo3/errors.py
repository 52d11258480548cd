"""The one exception that ends a run: its text is all that the user sees."""


class UserError(Exception):
    """One clear sentence that says what is wrong and what to do."""


def why_git_failed(stderr: str) -> str:
    """The line of git's output that says what is wrong; git may say pages."""
    if "No space left on device" in stderr or "Out of diskspace" in stderr:
        return "No space left on device"
    said = [line.strip() for line in stderr.splitlines() if line.strip()]
    wrong = (line for line in said if line.startswith(("fatal:", "error:")))
    return next(wrong, said[-1] if said else "no reason given")
