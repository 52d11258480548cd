"""The page's worker, in Node.js: its projects are those of Copier, and its messages are the template's own."""

import base64
import io
import os
import zipfile
from pathlib import Path

import pairs
from conftest import Page, run
from pages import ask, contents, copied

# Every sixth case; SLOW=1 compares all of them, as on 2026-11-30: `SLOW=1 python3 dev.py test -k page_engine`.
CASES = {
    name: {"project_name": name, **answers}
    for number, (name, answers) in enumerate(pairs.cases().items())
    if number % 6 == 0 or "SLOW" in os.environ
}


def unpack(zipped: str, folder: Path) -> Path:
    """Unpack the zip file of a reply, with permissions. Returns the folder in it."""
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(zipped))) as archive:
        for info in archive.infolist():
            path = Path(archive.extract(info, folder))
            path.chmod(info.external_attr >> 16 & 0o777)
    (made,) = folder.iterdir()
    return made


def test_each_project_is_that_of_copier(page: Page, tmp_path: Path) -> None:
    replies = ask(page, ({"do": "zip", "answers": answers} for answers in CASES.values()))
    assert len(replies) == len(CASES)
    for (name, answers), reply in zip(CASES.items(), replies, strict=True):
        made = unpack(reply["result"], tmp_path / "page" / name)
        expected = copied(page, answers, tmp_path / "copier" / name)
        assert made.name == name
        assert contents(made) == contents(expected), name


def test_a_project_of_the_page_is_updated(page: Page, tmp_path: Path) -> None:
    answers = {"project_name": "from-the-page", "features": ["parallel"]}
    (reply,) = ask(page, [{"do": "zip", "answers": answers}])
    project = unpack(reply["result"], tmp_path / "zip")
    (project / "README.md").write_text("My own words.\n", encoding="utf-8")
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "Start"]):
        run(["git", *command], cwd=project)
    newer = tmp_path / "newer"
    run(["git", "clone", "--quiet", page.repository, newer], cwd=tmp_path)
    sample = newer / "template" / ".gitignore"
    sample.write_text(sample.read_text(encoding="utf-8") + "*.orig\n", encoding="utf-8", newline="\n")
    run(["git", "commit", "--quiet", "--all", "--message", "Newer"], cwd=newer)
    run(["git", "tag", "v8.0.0"], cwd=newer)
    run(["git", "push", "--quiet", "origin", "v8.0.0"], cwd=newer)
    try:
        run(["copier", "update", "--trust", "--defaults"], cwd=project)
    finally:
        run(["git", "tag", "--delete", "v8.0.0"], cwd=page.repository)
    recorded = (project / ".copier-answers.yml").read_text(encoding="utf-8")
    assert "_commit: v8.0.0\n" in recorded
    assert f"_src_path: {page.address}\n" in recorded
    assert (project / "README.md").read_text(encoding="utf-8") == "My own words.\n"
    assert (project / ".gitignore").read_text(encoding="utf-8").endswith("*.orig\n")
    assert run(["git", "status", "--porcelain"], cwd=project).stdout.split() == [
        "M",
        ".copier-answers.yml",
        "M",
        ".gitignore",
    ]
