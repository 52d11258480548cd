"""The question `ci`: existing projects keep GitHub's workflows, also those with a repository on GitLab.

Change the answer with `copier update --trust --data ci=gitlab --data dependency_updates=renovate`.
"""

from typing import Any, Final

VERSION: Final = "0.1.0"


def answers(answers: dict[str, Any]) -> dict[str, Any]:
    """Add the answer that the older versions implied."""
    return {"ci": "github", **answers}
