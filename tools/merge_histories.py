"""Tests the merge on real histories: python3 tools/merge_histories.py REPOSITORY... [--write DIR] [--json OUT].

For each Cargo.toml, pyproject.toml, and GitHub workflow that both sides changed, this takes base, ours, and theirs from git
repositories, merges them with our merge and with `git merge-file`, and counts the outcomes. The sources, with base, ours, and
theirs of each:

- merge: a merge commit whose file differs from both parents. The merge base, the first parent, the second parent.
- pick: a commit with "(cherry picked from commit X)". X's parent, the commit's parent, X.
- twin: two commits with the same author, date, and subject (a rebase, or a cherry-pick without a note; some patches were
  amended). The earlier one's parent, the later one's parent, the earlier one.
- squash: "... (#N)" on the main branch, with refs/pull/N/head. The merge base, the commit's parent, that head.
- commuted: two consecutive patches of different authors. The commit before both, the first patch, the second patch alone (which
  nobody committed: git separates them). The expected result is the commit with both.

The columns: our result does not parse; ours has markers; git's has markers; ours reports a conflict; git's is clean and ours has
other data (check by hand which is right); of these, git's is what was committed, ours is, only the order of lists differs; git's has
markers, ours reports nothing and is not what was committed; ours is what was committed; git's is.
"""

import argparse
import json
import re
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import chain, pairwise, zip_longest
from pathlib import Path
from subprocess import PIPE, Popen, run
from typing import IO, Any, Final, NamedTuple, TypeAlias, cast

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "hooks"))

from copier_pyo3.merge.file import merge_file

if sys.version_info >= (3, 11):
    from tomllib import loads as read_toml
else:
    from tomlkit import parse as read_toml

PATHS: Final = (":(glob)**/Cargo.toml", ":(glob)**/pyproject.toml", ":(glob).github/workflows/*.y*ml")
FORMAT: Final = "--format=%x01%H%x02%P%x02%an%x02%at%x02%s%x02%b%x02"
LOG: Final = ("log", "--exclude=refs/pull/*/merge", "--all", "--full-history", "--reverse", "--raw", "--no-abbrev")
# Source, path, commit, and git's names for the texts: base (A...B is a merge base), ours, theirs, result.
Found: TypeAlias = tuple[str, str, str, tuple[str, str, str, str]]


class Commit(NamedTuple):
    """A commit. For each path, `files` has the blobs of its parents in order, then its own."""

    name: str
    parents: list[str]
    about: tuple[str, str, str]  # author, time, subject
    body: str
    files: dict[str, list[str]]


@dataclass
class Triple:
    """A triple, and its results."""

    repository: str
    source: str
    path: str
    label: str
    texts: dict[str, bytes]
    """The texts "base", "ours", "theirs", and "real" (the committed one), then "result" (ours) and "git"."""
    notes: dict[str, bool] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)


class Repository:
    """A git repository to read from, with a work tree or bare."""

    def __init__(self, folder: Path) -> None:
        self.git = ["git", "-C", str(folder), "-c", "core.quotePath=off"]
        self.name = [part for part in folder.resolve().parts if part not in ("repo", ".git")][-1]
        self.reader = Popen([*self.git, "cat-file", "--batch"], stdin=PIPE, stdout=PIPE)

    def run(self, *arguments: str) -> str:
        """The output of git."""
        return run([*self.git, *arguments], capture_output=True, check=False).stdout.decode("utf-8", "replace")

    def read(self, name: str) -> bytes | None:
        """The content of a blob or of REVISION:PATH, or None if it does not exist."""
        question, answer = cast("tuple[IO[bytes], IO[bytes]]", (self.reader.stdin, self.reader.stdout))
        question.write(name.encode("utf-8") + b"\n")
        question.flush()
        *_, kind, size = answer.readline().split()  # or "NAME missing"
        content = answer.read(int(size) + 1)[:-1] if size.isdigit() else None
        return content if kind == b"blob" else None

    def log(self, *arguments: str) -> Iterator[Commit]:
        """The commits of all branches and pull requests that change the files, oldest first."""
        for entry in self.run(*LOG, "--no-renames", FORMAT, *arguments, "--", *PATHS).split("\x01")[1:]:
            name, parents, author, time, subject, body, raw = entry.split("\x02", 6)
            lines = [line.partition("\t") for line in raw.strip().splitlines()]
            files = {path: [word for word in about.split() if len(word) == 40] for about, _, path in lines}
            there = {path: blobs for path, blobs in files.items() if "0" * 40 not in blobs}
            yield Commit(name, parents.split(), (author, time, subject), body, there)


def found(repository: Repository) -> Iterator[Found]:
    """All triples of a repository, by names."""
    for commit in repository.log("--merges", "-c"):  # -c: the files that differ from all parents
        for path, blobs in commit.files.items():
            if len(blobs) == 3:
                yield "merge", path, commit.name, ("...".join(commit.parents), blobs[0], blobs[1], blobs[2])
    commits = {commit.name: commit for commit in repository.log("--no-merges")}
    later: dict[tuple[str, str], Commit] = {}
    for commit in commits.values():
        for path, (old, _) in commit.files.items():
            later.setdefault((path, old), commit)
        for picked in commits.keys() & re.findall(r"\(cherry picked from commit ([0-9a-f]{40})\)", commit.body)[-1:]:
            yield from _replayed("pick", commits[picked], commit)
    for one, other in pairwise(sorted(commits.values(), key=lambda commit: commit.about)):
        if one.about == other.about:
            yield from _replayed("twin", one, other)
    for name in repository.run("rev-list", "--first-parent", "--no-merges", "HEAD").split():
        if name in commits and (pull := re.search(r"\(#(\d+)\)$", commits[name].about[2])):
            head = f"refs/pull/{pull[1]}/head"
            for path, (ours, real) in commits[name].files.items():
                yield "squash", path, name, (f"{name}^...{head}", ours, f"{head}:{path}", real)
    for commit in commits.values():
        for path, (old, new) in commit.files.items():
            if (second := later.get((path, new))) and second.about[0] != commit.about[0]:
                yield "commuted", path, second.name, (old, new, "", second.files[path][1])


def _replayed(source: str, one: Commit, other: Commit) -> Iterator[Found]:
    for path in sorted(one.files.keys() & other.files.keys()):
        (base, theirs), (ours, real) = one.files[path], other.files[path]
        yield source, path, other.name, (base, ours, theirs, real)


def collect(repository: Repository, limit: int, per_file: int, swap: bool = False) -> Iterator[Triple]:
    """Triples with their texts: at most `limit`, from each source in turn, and at most `per_file` per file and source.

    Pairs of changes that occurred before, in any file, are skipped, and so are texts that do not parse.
    """
    groups: defaultdict[str, defaultdict[str, list[Found]]] = defaultdict(lambda: defaultdict(list))
    for one in found(repository):
        groups[one[0]][one[1]].append(one)
    queues = [_in_turn([_spread(group[path]) for path in sorted(group)]) for group in groups.values()]
    seen: set[tuple[Any, Any]] = set()
    taken: Counter[tuple[str, str]] = Counter()
    for source, path, commit, names in _in_turn(queues):
        if taken.total() < limit and taken[source, path] < per_file and (texts := _texts(repository, path, names)):
            changes = (_change(texts[0], texts[1]), _change(texts[0], texts[2]))
            if len({(), *changes}) == 3 and changes not in seen and all(data(path, text) for text in texts):
                seen.add(changes)
                taken[source, path] += 1
                label = "--".join([repository.name, source, commit[:10], path.replace("/", "_")])
                sides = ("base", "theirs", "ours", "real") if swap else ("base", "ours", "theirs", "real")
                yield Triple(repository.name, source, path, label, dict(zip(sides, texts, strict=True)))


def _spread(items: list[Found]) -> list[Found]:  # the first items of this order are evenly distributed
    return [items[place] for place in sorted(range(len(items)), key=lambda place: place * 0.618034 % 1)]


def _in_turn(queues: Iterable[Iterable[Found]]) -> Iterator[Found]:
    return filter(None, chain.from_iterable(zip_longest(*queues)))


def _change(old: bytes, new: bytes) -> tuple[Any, ...]:
    before, after = (Counter(text.split(b"\n")) for text in (old, new))
    return ("-", *(before - after).items(), "+", *(after - before).items()) if old != new else ()


def _texts(repository: Repository, path: str, names: tuple[str, ...]) -> list[bytes] | None:
    fork = repository.run("merge-base", *names[0].split("...")).strip() if "..." in names[0] else ""
    base = f"{fork}:{path}" if fork else names[0]
    read = [repository.read(name) if name else b"" for name in (base, *names[1:])]
    texts = [text for text in read if text is not None and b"\0" not in text]
    clean = len(texts) == 4
    if clean and "" in names:  # commuted: theirs is base with the second patch
        texts[2], clean = git_merge(texts[1], texts[0], texts[3])
    return texts if clean else None


def git_merge(base: bytes, ours: bytes, theirs: bytes) -> tuple[bytes, bool]:
    """The result of `git merge-file`, and whether it has no conflicts."""
    with tempfile.TemporaryDirectory(prefix="histories-") as folder:
        for name, content in {"ours": ours, "base": base, "theirs": theirs}.items():
            Path(folder, name).write_bytes(content)
        command = ("git", "merge-file", "-p", "--diff3", "ours", "base", "theirs")
        done = run(command, cwd=folder, capture_output=True, check=False)
    return done.stdout, done.returncode == 0


class _Loader(yaml.SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        if len(keys) > len(set(keys)):
            raise yaml.YAMLError("GitHub rejects duplicate keys")
        return super().construct_mapping(node, deep)


def data(path: str, content: bytes, ordered: bool = True) -> str | None:
    """A file's data as text, for comparison; None if the file does not parse."""
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
        return _plain(read_toml(text) if path.endswith("toml") else yaml.load(text, _Loader), ordered)
    except (ValueError, yaml.YAMLError, RecursionError):
        return None


def _plain(value: Any, ordered: bool) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(sorted(f'{key!r}: {_plain(item, ordered)}' for key, item in value.items()))}}}"
    if isinstance(value, list):
        items = [_plain(item, ordered) for item in value]
        return f"[{', '.join(items if ordered else sorted(items))}]"
    return repr(value)


def judge(triple: Triple) -> Triple:
    """Merge a triple with both tools, and compare the results."""
    path, texts = triple.path, triple.texts
    texts["git"], clean = git_merge(texts["base"], texts["ours"], texts["theirs"])
    try:
        merged = merge_file(path, texts["base"], texts["ours"], texts["theirs"])
    except Exception as error:  # noqa: BLE001 - any exception is a finding
        triple.notes, triple.told = {"crashed": True}, [repr(error)]
        return triple
    texts["result"] = merged.content
    triple.told = [f"{'CONFLICT ' * one.conflict}{one.path}: {one.action} ({one.detail})" for one in merged.decisions]
    triple.told += [f"LEFT {merged.left}"] if merged.left else []
    mine, git, real = (data(path, texts[name]) for name in ("result", "git", "real"))
    markers = re.search(rb"(?m)^<<<<<<< ", merged.content) is not None
    differs = clean and git is not None and mine != git
    triple.notes = {
        "unreadable": mine is None and not markers,
        "markers": markers,
        "git markers": not clean,
        "conflict": any(one.conflict for one in merged.decisions),
        "differs": differs,
        "git right": differs and git == real,
        "we right": differs and mine == real,
        "order": differs and len({data(path, texts[name], ordered=False) for name in ("git", "result")}) == 1,
        "silent": not clean and mine != real and not markers and not triple.told,
        "ours = real": mine == real,
        "git = real": clean and git == real,
    }
    return triple


def write(triple: Triple, folder: Path) -> None:
    """If a triple has a finding, write its texts to a folder for comparison."""
    kinds = [kind for kind in ("crashed", "unreadable", "markers", "differs", "silent") if triple.notes.get(kind)]
    if kinds:
        place = folder / kinds[0] / triple.label
        place.mkdir(parents=True, exist_ok=True)
        for name, content in triple.texts.items():
            (place / f"{name}{Path(triple.path).suffix}").write_bytes(content)
        lines = [triple.path, *(name for name, holds in triple.notes.items() if holds), *triple.told, ""]
        (place / "ABOUT").write_text("\n".join(lines), encoding="utf-8", newline="\n")


def table(triples: list[Triple]) -> str:
    """The counts of each repository, of each source, and in total."""
    rows: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for one in triples:
        for name in (one.repository, f"~ {one.source}", "~~ all"):
            rows[name].update({"triples": 1, **one.notes})
    columns = list(rows["~~ all"])
    lines = [f"{name:26}" + "".join(f"{rows[name][column]:>12}" for column in columns) for name in sorted(rows)]
    return "\n".join([" " * 26 + "".join(f"{column:>12}" for column in columns), *lines])


def main() -> int:
    """Returns 1 if a result is unreadable or the merge crashed, else 0."""
    about = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    about.add_argument("repositories", nargs="+", type=Path, metavar="REPOSITORY")
    about.add_argument("--limit", type=int, default=150, help="maximum triples per repository (default: 150)")
    about.add_argument("--per-file", type=int, default=6, help="maximum triples per file and source (default: 6)")
    about.add_argument("--swap", action="store_true", help="swap ours and theirs")
    about.add_argument("--jobs", type=int, default=1, help="number of processes (default: 1)")
    about.add_argument(
        "--json", type=Path, metavar="OUT", help="write the results of each triple (of texts, the length)"
    )
    about.add_argument("--write", type=Path, metavar="DIR", help="write the texts of triples with findings")
    options = about.parse_args()
    triples: list[Triple] = []
    with ProcessPoolExecutor(options.jobs) as pool:
        for folder in options.repositories:
            triples += pool.map(judge, collect(Repository(folder), options.limit, options.per_file, options.swap))
            print(f"{folder}: {len(triples)} so far", file=sys.stderr)
    for triple in triples if options.write else []:
        write(triple, options.write)
    if options.json:
        options.json.write_text(json.dumps([*map(vars, triples)], default=len), encoding="utf-8", newline="\n")
    print(table(triples))
    return int(any(one.notes.get("unreadable") or one.notes.get("crashed") for one in triples))


if __name__ == "__main__":
    sys.exit(main())
