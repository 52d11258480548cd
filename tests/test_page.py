"""The page as people use it, in a headless Chromium. Pictures are in build/pictures/."""

import json
import re
import shlex
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode

import pytest

import pairs
from browser import axe, browser, quiet
from conftest import PAGE_VERSION, ROOT, Page, run
from pages import contents, copied

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator
    from playwright.sync_api import Page as Tab

__all__ = ["browser"]

PICTURES = ROOT / "build" / "pictures"
PICTURE = ROOT / "docs" / "start.png"  # in README.md
AXE = ROOT / "docs" / "start" / "node_modules" / "axe-core" / "axe.min.js"
SIZES = {"wide": (1600, 1000), "narrow": (400, 800)}
SCRIPT = "<img src=x onerror=\"document.title='run'\"><script>document.title='run'</script>{{ 7 * 191 }}"
# A dozen, with each kind, backend, host, and license.
CASES = [
    "default",
    "one-file",
    "license-dual",
    "pair-05",
    "pair-10",
    "pair-15",
    "pair-20",
    "pair-25",
    "system-library",
    "with-pyoxidizer",
    "with-setuptools-rust",
    "with-numpy",
]
# What is typed where the default answer with an x is not accepted.
TYPED = {
    "index_url": "https://packages.example.org/python",
    "index_read_url": "https://packages.example.org/python/simple/",
    "pypi_mirror": "https://packages.example.org/pypi/",
    "crates_mirror": "https://packages.example.org/crates/",
    "runners": "{ubuntu-24.04: own}",
}


class Served:
    """The page in a tab, with Python loaded."""

    def __init__(self, tab: "Tab", url: str) -> None:
        self.tab = tab
        self.url = url

    def settle(self) -> None:
        """Wait until the project of the newest answers is shown."""
        self.tab.wait_for_selector("#status.ready")
        self.tab.wait_for_selector("#project[aria-busy=false]")

    def answer(self, **answers: Any) -> None:
        """Show the project of these answers, by their address."""
        fragment = urlencode(
            {name: str(value).lower() if isinstance(value, bool) else value or "" for name, value in answers.items()},
            doseq=True,
        )
        self.go(fragment)

    def go(self, fragment: str) -> None:
        """Change the part of the address after #."""
        self.tab.evaluate(
            """fragment => new Promise(done => {
                const before = location.href;
                addEventListener("popstate", done, { once: true });
                location.hash = fragment;
                if (location.href === before) done();
            })""",
            fragment,
        )
        self.settle()

    def reset(self) -> None:
        """Start over, in a wide window."""
        self.tab.set_viewport_size({"width": 1600, "height": 1000})
        for dialog in self.tab.locator("dialog[open]").all():
            dialog.locator(".close").click()
        self.tab.click("#reset")
        self.settle()

    def status(self) -> str:
        return self.tab.inner_text("#status p")

    def unpacked(self, folder: Path) -> Path:
        """Download the zip file. Returns the project in it."""
        with self.tab.expect_download() as started:
            self.tab.click("#zip")
        zipped = folder / started.value.suggested_filename
        started.value.save_as(zipped)
        with zipfile.ZipFile(zipped) as archive:
            for info in archive.infolist():
                Path(archive.extract(info, folder)).chmod(info.external_attr >> 16 & 0o777)
        return folder / zipped.stem

    def marks(self) -> dict[str, str]:
        """The first word of each mark in the tree, by path."""
        found = {}
        for file in self.tab.locator("nav button:has(.mark)").all():
            parts = file.locator("xpath=ancestor::details/summary").all_text_contents()
            name = "".join([*parts, *file.locator("span").first.all_text_contents()])
            found[name] = (file.locator(".mark").text_content() or "").split()[0]
        return found

    def picture(self, name: str) -> None:
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.tab.screenshot(path=PICTURES / f"{name}.png")


@pytest.fixture(scope="module")
def loading() -> dict[str, Any]:
    """What the page showed before Python was loaded."""
    return {}


@pytest.fixture(scope="module")
def served(page: Page, browser: "Browser", loading: dict[str, Any]) -> Iterator[Served]:
    """The page, from a plain file server. It is answered while Python is held back."""
    handler = partial(Silent, directory=str(page.folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        context = browser.new_context(viewport={"width": 1600, "height": 1000})
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        tab = context.new_page()
        shown = Served(tab, url)
        with quiet(tab, url):
            held: list[Any] = []
            python = re.compile(r"/python\.zip\?")
            context.route(python, lambda route: held.append(route))
            tab.goto(url)
            tab.wait_for_selector("nav button")
            loading["files"] = tab.locator("nav button").count()
            tab.fill("#answer-project_name", "before-python")
            loading["status"] = shown.status()
            loading["progress"] = tab.locator("progress").is_visible()
            shown.picture("loading")
            while not held:
                tab.wait_for_timeout(50)
            held[0].continue_()
            context.unroute(python)
            shown.settle()
            yield shown
        context.close()
        server.shutdown()


class Silent(SimpleHTTPRequestHandler):
    """A file server that does not print its requests."""

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


def difference(a: Path, b: Path) -> dict[str, str]:
    """What is new, gone, or changed from a project to another."""
    older, newer = contents(a), contents(b)
    return {
        path: "new" if path not in older else "gone" if path not in newer else "changed"
        for path in older.keys() | newer.keys()
        if older.get(path) != newer.get(path)
    }


def test_it_is_answered_before_python_is_loaded(served: Served, loading: dict[str, Any], tmp_path: Path) -> None:
    assert loading["files"] == 29  # 28, and that of the fork
    assert loading["progress"]
    assert "Loading Python" in loading["status"]
    assert "before_python/" in served.tab.inner_text("nav")
    assert served.unpacked(tmp_path).name == "before-python"


def test_every_question_by_keyboard(served: Served, page: Page) -> None:
    """Including those that are asked only after other answers, and the fork's own question, which nobody wrote for the page."""
    answered: set[str] = set()
    for fixed in ({"publish_to": "private", "kind": "application"}, {"more": True}, {"more": True}):
        served.reset()
        served.answer(**fixed)
        served.tab.focus("#reset")
        while True:
            served.tab.keyboard.press("Tab")
            focused = served.tab.locator(":focus")
            found = re.fullmatch(r"answer-(\w+?)(-\d+)?", focused.get_attribute("id") or "")
            if not found:
                if focused.evaluate("each => Boolean(each.closest('nav'))"):
                    break
                continue
            name = found[1]
            if name in answered or name in fixed:
                continue
            by_keyboard(served, focused, name)
            assert name in parse_qs(served.tab.url.partition("#")[2], keep_blank_values=True), name
            answered.add(name)
    questions = json.loads((page.folder / "questions.json").read_text(encoding="utf-8"))["questions"]
    assert answered == {question["name"] for question in questions}
    assert "motto" in answered
    served.picture("every-question")


def by_keyboard(served: Served, control: "Locator", name: str) -> None:
    """Change the answer of the focused control with the keyboard."""
    kind = control.get_attribute("type")
    press = served.tab.keyboard.press
    if kind == "text":
        press("End")
        served.tab.keyboard.type(TYPED.get(name, "x"))
        if name == "runners":
            press("ControlOrMeta+A")
            served.tab.keyboard.type(TYPED[name])
    else:
        press("Space" if kind == "checkbox" else "ArrowDown")
    served.settle()


def test_a_choice_by_keyboard_and_the_tree(served: Served) -> None:
    served.reset()
    served.tab.focus("#answer-kind-0")
    served.tab.keyboard.press("ArrowDown")
    served.settle()
    assert served.tab.is_checked("#answer-kind-1")
    assert served.tab.evaluate("document.activeElement.id") == "answer-kind-1"
    served.tab.focus("nav summary")
    served.tab.keyboard.press("Enter")
    served.tab.keyboard.press("ArrowDown")
    focused = served.tab.locator(":focus")
    assert focused.inner_text() == "examples/"
    served.tab.keyboard.press("ArrowDown")
    served.tab.keyboard.press("Enter")
    assert served.tab.inner_text("#file-title").startswith("examples/demo.py")


def test_a_refusal_is_at_the_question(served: Served, page: Page, tmp_path: Path) -> None:
    served.reset()
    served.tab.check("#answer-more")
    served.settle()
    served.tab.select_option(
        "#answer-min_python", label="3.9 (with abi3, calls take more than twice as long as on 3.10)"
    )
    served.tab.check("#answer-features-0")
    served.settle()
    message = served.tab.inner_text("#problem-features")
    assert message in served.status()
    assert served.tab.get_attribute("#answer-features-0", "aria-invalid") == "true"
    served.picture("refusal")
    for _ in range(2):  # on and off
        served.tab.click("#pin")
        assert served.tab.inner_text("#problem-features") == message
        assert message in served.status()
        assert served.tab.inner_text("#project-title") == "Your project, before the refused answer"
    command = ["copier", "copy", "--trust", "--defaults", "--data", "min_python=3.9", "--data", "features=[numpy]"]
    refused = run([*command, page.address, tmp_path / "project"], cwd=tmp_path, check=False)
    assert refused.returncode
    assert message in " ".join(refused.stderr.split())
    served.tab.click("#zip")
    served.tab.wait_for_timeout(200)
    assert message in served.status()
    served.tab.uncheck("#answer-features-0")
    served.settle()
    assert not served.tab.inner_text("#problem-features")
    assert "files" in served.status()
    assert served.tab.locator("#answer-min_python option:disabled").inner_text().startswith("3.8: PyO3")


def test_an_answer_marks_what_it_does(served: Served, page: Page, tmp_path: Path) -> None:
    served.reset()
    assert not served.marks()
    served.answer(features=["numpy"])
    before, after = copied(page, {}, tmp_path / "a" / "my-extension"), tmp_path / "b" / "my-extension"
    copied(page, {"features": ["numpy"]}, after)
    assert served.marks() == difference(before, after)
    served.tab.click("nav button:has-text('Cargo.toml')")
    added = "".join(served.tab.locator("#file .plus code").all_inner_texts())
    assert "numpy" in added
    assert "+" in served.tab.locator("#file .plus .number").first.inner_text()
    served.picture("marks")
    served.tab.click("#commands")
    served.tab.click("#commands-dialog .close")
    assert served.marks() == difference(before, after)  # until the next change
    served.answer(features=["numpy"], sample="minimal")
    assert set(served.marks().values()) == {"gone", "changed"}
    assert served.marks()["src/words.rs"] == "gone"


@pytest.mark.parametrize("name", CASES)
def test_the_zip_is_the_project_of_copier(served: Served, page: Page, tmp_path: Path, name: str) -> None:
    answers = {"project_name": name, **pairs.cases()[name]}
    served.answer(**answers)
    (tmp_path / "zip").mkdir()
    made = served.unpacked(tmp_path / "zip")
    expected = copied(page, answers, tmp_path / "copier" / name)
    assert contents(made) == contents(expected)
    shown = contents(made)
    paths = served.tab.locator("nav button").count() - list(served.marks().values()).count("gone")
    assert paths == len(shown)


def test_the_zip_has_what_was_typed_last(served: Served, tmp_path: Path) -> None:
    served.reset()
    served.tab.fill("#answer-project_name", "quick")
    assert {path.name for path in served.unpacked(tmp_path).parent.iterdir()} == {"quick", "quick.zip"}


def test_an_answer_that_does_not_count_is_kept_and_not_shown(served: Served) -> None:
    served.reset()
    url, index = "https://packages.example.org/python", served.tab.locator("#answer-index_url")
    served.answer(publish_to="private", index_url=url)
    assert index.is_visible()
    served.tab.check("#answer-publish_to-0")
    served.settle()
    assert not index.is_visible()
    served.tab.check("#answer-publish_to-1")
    served.settle()
    assert index.is_visible()
    assert index.input_value() == url


def test_the_commands_make_the_same(served: Served, page: Page, tmp_path: Path) -> None:
    served.reset()
    served.answer(
        author_name='O\'Brien \u2019s "Q" $(touch run) `touch run` %PATH% \\\\ \\',
        description="It's a $HOME; rm -rf & more | than # this",
        features=["numpy", "parallel"],
        more=True,
        profiling=True,
        runners="{ubuntu-24.04: [self-hosted, linux]}",
    )
    (tmp_path / "zip").mkdir()
    expected = contents(served.unpacked(tmp_path / "zip"))
    served.tab.click("#commands")
    served.picture("commands")
    with served.tab.expect_download() as started:
        served.tab.click("#answers")
    commands = {}
    for name in ("copier-command", "new-command", "file-command"):
        served.tab.click(f"#{name} + button")
        served.tab.wait_for_timeout(100)
        commands[name] = served.tab.evaluate("navigator.clipboard.readText()")
        assert commands[name] == served.tab.inner_text(f"#{name}")
    for name, printed in commands.items():
        folder = tmp_path / name
        folder.mkdir()
        started.value.save_as(folder / "answers.yml")
        command = printed.replace("new --defaults", "new --no-build --defaults") if name == "new-command" else printed
        run(["sh", "-c", command], cwd=folder)
        assert [path.name for path in folder.iterdir() if path.is_dir()] == ["my-extension"]
        assert not (folder / "run").exists()
        assert contents(folder / "my-extension") == expected, name
    served.tab.select_option("#shell", "pwsh")
    assert "'author_name=O''Brien \u2019\u2019s" in served.tab.inner_text("#copier-command")
    assert shlex.split(commands["copier-command"])[:2] == ["uvx", "copier"]
    assert PAGE_VERSION in shlex.split(commands["copier-command"])


def test_the_address_has_the_answers(served: Served) -> None:
    served.reset()
    assert served.tab.url in (f"{served.url}#", served.url)
    served.tab.select_option("#answer-license", label="Apache 2.0")
    served.settle()
    served.tab.check("#answer-sample-1")
    served.settle()
    served.tab.click("#link")
    served.tab.wait_for_timeout(100)
    link = served.tab.evaluate("navigator.clipboard.readText()")
    assert link == f"{served.url}#license=Apache-2.0&sample=minimal"
    served.tab.go_back()
    served.tab.wait_for_selector("#answer-sample-0:checked")
    served.settle()
    assert served.tab.url == f"{served.url}#license=Apache-2.0"
    assert served.tab.is_checked("#answer-sample-0")
    assert "src/words.rs" in served.marks()
    served.tab.check("#answer-sample-1")
    served.tab.check("#answer-sample-0")  # the default answer again
    assert served.tab.url == f"{served.url}#license=Apache-2.0"
    served.tab.goto("about:blank")
    served.tab.goto(link)
    served.settle()
    assert served.tab.is_checked("#answer-sample-1")
    assert "words.rs" not in served.tab.inner_text("nav")
    served.tab.click("nav button:has-text('LICENSE')")
    assert "Apache License" in served.tab.inner_text("#file")


def test_an_answers_file_is_loaded(served: Served, tmp_path: Path) -> None:
    served.reset()
    file = tmp_path / "organization.yml"
    file.write_text("license: MPL-2.0\nauthor_name: Example Inc.\nlicence: MIT\nci: jenkins\n", encoding="utf-8")
    served.tab.click("#load")
    served.tab.set_input_files("#choose", file)
    served.tab.click("#use")
    served.tab.wait_for_selector("#loaded li")
    served.settle()
    said = served.tab.inner_text("#loaded")
    assert "2 answers loaded" in said
    assert 'there is no question "licence": did you mean license?' in said
    assert "jenkins" in said
    served.picture("load")
    served.tab.keyboard.press("Escape")
    assert served.tab.input_value("#answer-author_name") == "Example Inc."
    file.write_text("locked: {license: GPL-3.0-or-later}\ndefaults: {author_name: Ours}\n", encoding="utf-8")
    served.tab.click("#load")
    served.tab.set_input_files("#choose", [])
    served.tab.set_input_files("#choose", file)
    served.tab.click("#use")
    served.tab.wait_for_selector("#load-dialog", state="hidden")
    served.settle()
    assert set(parse_qs(served.tab.url.partition("#")[2])) == {"license", "author_name"}
    served.tab.go_back()
    served.tab.wait_for_selector("#answer-author_name")
    served.settle()
    served.tab.click("nav button:has-text('LICENSE')")
    assert "Mozilla Public License" in served.tab.inner_text("#file")
    served.reset()
    served.tab.click("#load")
    served.tab.fill("#paste", "adopted: kept\nadopted_without: [noxfile.py]\n")
    served.tab.click("#use")
    served.tab.wait_for_selector("#load-dialog", state="hidden")
    served.settle()
    files = served.tab.locator("nav button:not(:has(.gone))").all_inner_texts()
    assert any("deny.toml" in file for file in files)
    assert not any("noxfile.py" in file for file in files)
    served.tab.reload()  # the form does not show these answers, but the address has them
    served.settle()
    assert served.tab.locator("nav button").count() == len(files)


def test_compare_two_sets_of_answers(served: Served, page: Page, tmp_path: Path) -> None:
    served.reset()
    served.tab.click("#pin")
    served.answer(features=["parallel"])
    served.answer(features=["parallel"], license="MPL-2.0")
    assert "license: MIT → MPL-2.0" in served.tab.inner_text("#differences")
    a = copied(page, {}, tmp_path / "a" / "my-extension")
    b = copied(page, {"features": ["parallel"], "license": "MPL-2.0"}, tmp_path / "b" / "my-extension")
    assert served.marks() == difference(a, b)
    served.tab.click("nav button:has-text('Cargo.toml')")
    left, right = (served.tab.locator(f"#file .{side}").first.bounding_box() for side in ("minus", "plus"))
    assert left
    assert right
    assert left["x"] < right["x"]
    assert left["y"] == right["y"]
    cut = "lines => lines.filter(line => line.scrollHeight > line.clientHeight).map(line => line.innerText)"
    assert served.tab.locator("#file .line").evaluate_all(cut) == []
    served.picture("compare")
    served.tab.click("#pin")
    assert not served.marks()


def test_what_an_update_changes(served: Served, page: Page, tmp_path: Path) -> None:
    served.reset()
    project = tmp_path / "old" / "my-extension"
    answers = {"license": "MPL-2.0", "runners": {"ubuntu-24.04": "own"}}
    copied(page, answers, project, "v6.0.0")
    served.tab.click("#load")
    served.tab.set_input_files("#choose", project / ".copier-answers.yml")
    served.tab.click("#update")
    served.tab.wait_for_selector("#load-dialog", state="hidden")
    served.settle()
    assert "A: an unedited project of v6.0.0." in served.tab.inner_text("#differences")
    made = difference(project, copied(page, answers, tmp_path / "new" / "my-extension"))
    assert made.keys() == {"MADE-BY", ".copier-answers.yml"}
    assert served.marks() == made
    served.tab.click("nav button:has-text('MADE-BY')")
    assert set(parse_qs(served.tab.url.partition("#")[2])) == {"license", "runners", "copyright_year"}
    assert served.tab.inner_text("#file .minus code") == "The template v6.0.0."
    assert served.tab.inner_text("#file .plus code") == f"The template {PAGE_VERSION}."
    served.picture("update")
    missing = "does not have the files of the version"
    for commit, said in {"v5.0.0": missing, "../../etc/passwd": missing, PAGE_VERSION: "changes nothing"}.items():
        served.tab.click("#load")
        served.tab.fill("#paste", f"license: MIT\n_commit: {commit}\n")
        served.tab.click("#update")
        served.tab.wait_for_selector(f"#loaded:has-text('{commit}'):has-text('{said}')")
        served.tab.click("#load-dialog .close")
    served.tab.click("#pin")


def test_hostile_answers_run_nothing(served: Served) -> None:
    """A script, and an expression of Jinja, as each answer that is a text; and a file that would run Python."""
    served.reset()
    title = served.tab.title()
    names = [
        each.removeprefix("answer-")
        for each in served.tab.locator("form input[type=text]").evaluate_all("all => all.map(each => each.id)")
    ]
    assert "description" in names
    hostile = dict.fromkeys(names, SCRIPT)
    served.answer(**hostile)
    assert served.status().startswith("Refused")
    for name in ("description", "author_name"):  # they can have any text
        served.answer(**{name: SCRIPT})
        assert served.tab.input_value(f"#answer-{name}") == SCRIPT
        text = ""
        for file in ("README.md", "LICENSE", "pyproject.toml", "Cargo.toml"):
            served.tab.click(f"nav button:has-text('{file}')")
            text += served.tab.inner_text("#file")
        assert "{{ 7 * 191 }}" in text
        served.tab.click("#commands")
        served.tab.click("#commands-dialog .close")
    served.reset()
    served.tab.click("#load")
    for text, reason in {
        json.dumps(
            hostile | {"_src_path": "https://evil.example/template", "_tasks": ["touch /tmp/run"]}
        ): "answers loaded",
        "license: !!python/object/apply:os.system [echo]": "not YAML",
        "a: &a [x]\nb: [*a, *a]": "aliases",
        "- a list": "has no answers",
    }.items():
        served.tab.fill("#paste", text)
        served.tab.click("#use")
        served.tab.wait_for_selector(f"#loaded:has-text('{reason}')")
        served.settle()
    served.tab.click("#load-dialog .close")
    for address in ("__proto__=x&constructor=y", "license=javascript:alert(1)", "features=%00", "%ff%fe&=&&&"):
        served.go(address)
    assert served.tab.locator("img, iframe, object, #file script, form script").count() == 0
    assert served.tab.title() == title
    assert served.tab.url.startswith(served.url)


def test_a_cache_with_another_build(served: Served, browser: "Browser") -> None:
    """The address of each file has its hash. If a file is another one nevertheless, the page says what to do."""
    sent: list[str] = []
    with browser.new_context() as context:
        tab = context.new_page()
        tab.on("request", lambda request: sent.append(request.url))
        tab.goto(served.url)
        tab.wait_for_selector("#status.ready")
        own = [url.removeprefix(served.url) for url in sent if url.startswith(served.url)]
        assert {name.partition("?sha256-")[0] for name in own if "?sha256-" in name} > {
            "page.js",
            "worker.js",
            "files.zip",
        }
        assert [name for name in own if "?sha256-" not in name] == [""]
        assert not tab.is_visible("text=reload the page")
        tab.route(re.compile(r"/page\.js\?"), lambda route: route.fulfill(body="1", content_type="text/javascript"))
        tab.reload()
        tab.wait_for_selector("form >> text=reload the page")


def show(served: Served, name: str) -> None:
    """Show one of the page's states, after the one before it."""
    if name == "start":
        served.answer(more=True)
    elif name == "refused":
        served.answer(more=True, project_name="numpy")
    elif name == "compared":
        served.answer()
        served.tab.click("#pin")
        served.answer(sample="minimal", more=True)
    else:
        served.tab.keyboard.press("Escape")
        served.tab.click(f"#{name}")
        served.tab.wait_for_selector(f"#{name}-dialog")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_is_readable(served: Served, theme: str) -> None:
    """At both widths, nothing is cut off, and axe finds nothing, in the form, the comparison, and the dialogs."""
    served.reset()
    served.tab.emulate_media(color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce")
    found: dict[str, str] = {}
    for size, (width, height) in SIZES.items():
        served.tab.set_viewport_size({"width": width, "height": height})
        for name in ("start", "refused", "compared", "commands", "load"):
            show(served, name)
            served.picture(f"{name}-{size}-{theme}")
            if (size == "wide") == (theme == "light"):  # each width and each theme once, because this takes a second
                found |= {f"{name} {size}": problem for problem in axe(served.tab, AXE)}
            assert served.tab.evaluate("document.documentElement.scrollWidth") <= width, f"{name} {size}"
        served.tab.keyboard.press("Escape")
        served.tab.click("#pin")
    served.tab.emulate_media(color_scheme="light")
    assert not found


def test_types(page: Page) -> None:
    """After the build, which installs TypeScript."""
    assert page.folder.is_dir()
    run(["node", "node_modules/typescript/bin/tsc", "--noEmit"], cwd=ROOT / "docs" / "start")


def test_the_picture_in_the_readme(served: Served, request: pytest.FixtureRequest) -> None:
    """`--write-pictures` writes it."""
    served.reset()
    served.tab.set_viewport_size({"width": 1240, "height": 600})
    served.answer(features=["numpy"])
    served.tab.click("nav button:has-text('lib.rs')")
    served.tab.mouse.move(0, 0)
    if request.config.getoption("--write-pictures"):
        served.tab.evaluate("document.querySelector('#template').textContent = ''")  # the address of this test
        served.tab.screenshot(path=PICTURE)
    assert 0 < PICTURE.stat().st_size < 150_000
    assert f"]({PICTURE.relative_to(ROOT).as_posix()})" in (ROOT / "README.md").read_text(encoding="utf-8")
