"""The end of a `copier update`: merge again, by structure, the files that Copier merged line by line.

`finish` runs as the template's `after` migration. It shares `rendered` and `merge_again` with `resolve`.
"""

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from copier_pyo3 import migrations
from copier_pyo3.errors import UserError
from copier_pyo3.generate.kept import forget, kept
from copier_pyo3.generate.kept import place as place_of_kept
from copier_pyo3.generate.render import render
from copier_pyo3.merge.blob import Tree
from copier_pyo3.merge.tree import merge_trees
from copier_pyo3.project.answers import read_answers
from copier_pyo3.project.line_ends import follow, follow_answers
from copier_pyo3.project.modes import restore
from copier_pyo3.project.native import remove_stale, stale
from copier_pyo3.project.report import Report, check
from copier_pyo3.project.repository import Repository
from copier_pyo3.project.work_tree import place

REPORT: Final = "copier-pyo3-report.json"  # in the git directory; if it exists, the migration writes its report there


def finish(project: Path, answers_file: str, template: str, old_version: str, new_version: str) -> None:
    """Merge again what Copier merged, using both renderings of the template, and report the decisions.

    Copier requires a clean work tree, so the last commit has the user's files.

    Args:
        project: folder of the project, after Copier's update.
        answers_file: path of the answers file in it.
        template: folder with the template's git repository.
        old_version: version of the template before the update.
        new_version: version of the template after the update.

    Raises:
        UserError: the template cannot be rendered.
    """
    repository = Repository(project)
    restore(repository)
    wanted = repository.folder / REPORT
    before = _before(wanted)
    if not repository.found("rev-parse", "--verify", "--quiet", f"{before}:./{answers_file}"):
        raise UserError(f"{answers_file} is not in the last commit: commit the project before you update it.")
    old_file = repository.git("show", f"{before}:./{answers_file}")
    old = read_answers(old_file, answers_file)
    new_file = (repository.project / answers_file).read_bytes()
    new = read_answers(new_file, answers_file)
    versions = {"_commit": old_version}, {"_commit": new_version}  # as Copier names them
    if folders := kept(answers_file, old_file, new_file):
        with tempfile.TemporaryDirectory(prefix="copier-pyo3-", ignore_cleanup_errors=True) as aside:
            base, theirs = (repository.tree_of(folder, Path(aside, folder.name)) for folder in folders)
    else:
        base, theirs = rendered(repository, template, old | versions[0], new | versions[1], trust=True)
    forget(place_of_kept(os.getppid()))
    report = merge_again(repository, before, answers_file, base, theirs)
    follow_answers(repository, old_file, answers_file)
    report.told += migrations.after(project, old_version, new_version)
    check(repository, before, report)
    for path in stale(repository, old, new):
        remove_stale(repository, path, report)
    if wanted.exists():
        report.before = before
        wanted.write_text(json.dumps(asdict(report)), encoding="utf-8")
    else:
        report.print()


def _before(wanted: Path) -> str:
    """The commit with the user's files. In the temporary work tree of `update`, HEAD may have only some of them."""
    text = wanted.read_text(encoding="utf-8") if wanted.exists() else ""
    return str(json.loads(text)["before"]) if text else "HEAD"


def rendered(
    repository: Repository, template: str, old: Mapping[str, Any], new: Mapping[str, Any], trust: bool
) -> tuple[Tree, Tree]:
    """Render the old version with the old answers and the new version with the new ones, as git trees.

    Raises:
        UserError: one of the versions cannot be rendered.
    """
    trees = []
    with tempfile.TemporaryDirectory(prefix="copier-pyo3-", ignore_cleanup_errors=True) as aside:
        for name, answers in (("base", old), ("theirs", new)):
            render(template, Path(aside, name), answers, str(answers["_commit"]), trust)
            trees.append(repository.tree_of(Path(aside, name), Path(aside, f"{name}.index")))
    return trees[0], trees[1]


def merge_again(
    repository: Repository,
    before: str,
    answers_file: str,
    base: Tree,
    theirs: Tree,
    only: set[str] | None = None,
) -> Report:
    """Replace the work tree with the three-way merge of the commit before the update.

    Args:
        repository: the project's repository.
        before: the commit with the user's files.
        answers_file: path of the answers file, which is not changed.
        base: rendering of the old version of the template.
        theirs: rendering of the new version.
        only: the paths that may be written, or None for all.
    """
    ours = repository.tree(before)
    outcome = merge_trees(repository, base, ours, theirs, skip={answers_file})
    follow(repository, base, ours, outcome, answers_file)
    committed = ours if only is None else repository.tree("HEAD")
    place(repository, ours, theirs, committed, outcome, answers_file, only)
    return Report(outcome.told, outcome.left, sorted(outcome.deleted))
