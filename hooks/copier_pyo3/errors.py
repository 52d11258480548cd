"""The one exception that ends a run: its text is all that the user sees."""


class UserError(Exception):
    """One clear sentence that says what is wrong and what to do."""
