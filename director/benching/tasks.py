"""The tasks of a bench that has several: a folder with a file for each."""

from __future__ import annotations

from pathlib import Path

from director.model.errors import RequestError
from director.model.plan_reader import NODE_ID

ENDINGS = (".md", ".txt")


def read_tasks(folder: Path) -> dict[str, str]:
    """Return name → text of the tasks in ``folder``, in the order of their names.

    A task is called what its file is called, without the ending. RequestError where there is no
    task, or one that is empty, is no text, or whose name cannot be a folder's.
    """
    if not folder.is_dir():
        raise RequestError(f"there is no folder {folder}", "name the folder of the tasks")
    paths = sorted(path for path in folder.iterdir() if path.suffix in ENDINGS and path.is_file())
    if not paths:
        raise RequestError(
            f"there is no task in {folder}", f"write each into a file of its own ({_endings()})"
        )
    tasks: dict[str, str] = {}
    for path in paths:
        _refuse_name(path, tasks)
        tasks[path.stem] = _text_of(path)
    return tasks


def _endings() -> str:
    return " or ".join(f"<name>{ending}" for ending in ENDINGS)


def _refuse_name(path: Path, tasks: dict[str, str]) -> None:
    if path.stem in tasks:
        raise RequestError(f"two tasks are called {path.stem}", f"rename {path}")
    if not NODE_ID.fullmatch(path.stem):
        raise RequestError(
            f"{path.stem!r} cannot be a task's name", "use letters, digits, '-', '_', '.'"
        )


def _text_of(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(f"cannot read {path}: {error}", "save it as UTF-8 text") from None
    if not text:
        raise RequestError(f"the task in {path} is empty", "say what is to be done, or remove it")
    return text
