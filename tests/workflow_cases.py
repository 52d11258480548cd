"""The cases in tests/answers/workflows/, which cover each pair of answers that workflows depend on.

`python tests/workflow_cases.py` writes missing cases. Run it after you add a choice here.
"""

import itertools
from pathlib import Path
from typing import Any

import yaml

ANSWERS = Path(__file__).parent / "answers" / "workflows"

LINUX = ["linux-x86_64", "linux-aarch64", "linux-armv7", "linux-i686", "linux-ppc64le", "linux-s390x", "linux-riscv64"]
OTHERS = ["musl-x86_64", "musl-aarch64", "macos-x86_64", "macos-arm64", "windows-x64", "windows-x86", "windows-arm64"]

Answers = dict[str, Any]
# The items of a list exclude each other; {} are the defaults.
FACTORS: list[list[Answers]] = [
    [{}, {"platforms": ["linux-x86_64"]}, {"platforms": [*LINUX, *OTHERS, "pyodide"]}],
    [
        {"publish_to": "pypi"},
        {"publish_to": "private", "index_url": "https://packages.example.org/python"},
        {"publish_to": "none"},
    ],
    [{"dependency_updates": choice} for choice in ("dependabot", "renovate", "none")],
    [{"version_source": choice} for choice in ("cargo", "git-tag")],
    [
        {"build_backend": "maturin", "wheel_builder": "maturin"},
        {"build_backend": "maturin", "wheel_builder": "cibuildwheel"},
        {"build_backend": "setuptools-rust", "wheel_builder": "cibuildwheel"},
    ],
    [{}, {"abi3": False}, {"free_threading": True}],
    [{}, {"extras": ["docker", "docs"]}],
]
Pairs = set[tuple[tuple[int, int], ...]]


def cases() -> dict[str, Answers]:
    """The answers of each case, by name."""
    return {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(ANSWERS.glob("*.yml"))}


def choices() -> dict[tuple[int, ...], Answers]:
    """The answers of all possible cases, by their indices in FACTORS."""
    found = {}
    for places in itertools.product(*(range(len(factor)) for factor in FACTORS)):
        answers: Answers = {}
        for factor, place in zip(FACTORS, places, strict=True):
            answers |= factor[place]
        if not (answers["build_backend"] == "setuptools-rust" and answers.get("free_threading")):  # no abi3t
            found[places] = answers
    return found


def pairs(places: tuple[int, ...]) -> Pairs:
    """The pairs of answers in a case."""
    return set(itertools.combinations(enumerate(places), 2))


def missing_pairs() -> Pairs:
    """The possible pairs that are not in any case."""
    here = list(cases().values())
    found: Pairs = set()
    missing: Pairs = set()
    for places, answers in choices().items():
        (found if answers in here else missing).update(pairs(places))
    return missing - found


if __name__ == "__main__":
    ANSWERS.mkdir(exist_ok=True)
    number = len(cases())
    while missing := missing_pairs():
        places = max(choices(), key=lambda places: len(pairs(places) & missing))
        number += 1
        text = yaml.safe_dump(choices()[places], sort_keys=False)
        (ANSWERS / f"case-{number:02}.yml").write_text(text, encoding="utf-8", newline="\n")
