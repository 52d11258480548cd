"""Runs a function for each project in child processes, and shows the progress on stderr."""

import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from types import FrameType
from typing import Any, Final

from tqdm import tqdm

from copier_pyo3.errors import UserError
from copier_pyo3.project.clone import ask_nothing
from copier_pyo3.project.fleet_file import Project
from copier_pyo3.project.home import scrubbed

Report = dict[str, Any]
MOST: Final = 61  # processes; Windows cannot wait for more
_ended = threading.Event()  # in a child process: it was ended by a signal


def in_processes(work: Callable[[Project], Report], projects: Sequence[Project], jobs: int) -> list[Report]:
    """The results of a function for each project, in the order of the projects.

    The processes ask no questions and print nothing. They end with this process, also if it is killed.

    Args:
        work: a function that can be pickled. Its results have "name", and a word for the progress in "state" or "result".
        projects: the projects.
        jobs: the number of processes.

    Raises:
        UserError: a process was killed.
    """
    ask_nothing()
    context = multiprocessing.get_context("spawn")  # on all systems the same; forks of threads can hang
    pool = ProcessPoolExecutor(min(jobs, len(projects), MOST) or 1, context, _prepare)
    found: dict[Future[Report], Report] = {}
    try:
        futures = [pool.submit(_run, work, project) for project in projects]
        with tqdm(total=len(futures), unit="project", leave=False, disable=not sys.stderr.isatty()) as bar:
            for future in as_completed(futures):
                found[future] = report = future.result()
                bar.set_postfix_str(report["name"])
                bar.update()
                if bar.disable:
                    word = report.get("state") or report.get("result")
                    print(f"[{len(found)}/{len(futures)}] {report['name']}: {word}", file=sys.stderr, flush=True)
    except BrokenProcessPool as error:
        raise UserError("a process was killed, perhaps for lack of memory: try again with fewer --jobs.") from error
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for child in multiprocessing.active_children():
            child.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
    return [found[future] for future in futures]


def explained(error: Exception) -> str:
    """The message of an error in a child process: without passwords, and with the output that it refers to."""
    with os.fdopen(os.dup(1), "rb") as output:
        output.seek(0)
        lines = [line.strip() for line in output.read().decode(errors="replace").splitlines() if line.strip()]
    return scrubbed(str(error).replace("see the output above", f"its output ends with: {' / '.join(lines[-3:])}"))


def _prepare() -> None:
    """Prepare a child process."""
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGINT, _interrupt)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # Tasks of templates print, too.
    with tempfile.TemporaryFile() as output, Path(os.devnull).open("rb") as nothing:
        for number, file in enumerate((nothing, output, output)):
            os.dup2(file.fileno(), number)


def _run(work: Callable[[Project], Report], project: Project) -> Report:
    if _ended.is_set():  # the pool has already sent it
        raise KeyboardInterrupt
    os.lseek(1, 0, os.SEEK_SET)
    os.ftruncate(1, 0)  # the output of the project before
    return work(project)


def _interrupt(number: int, frame: FrameType | None) -> None:
    _ended.set()
    raise KeyboardInterrupt


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        multiprocessing.connection.wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)  # so that temporary files are removed
        time.sleep(5)
        os._exit(1)
