"""The texts of the sample job, which lie in ``sample_job/`` as they are written.

There, every file that belongs into a repository has ``.txt`` behind its name.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent / "sample_job"
TASK = "Add a table of contents for Markdown texts, with linked headings and the reading time"

Files = dict[str, str]
"""Path → whole content."""


def text(name: str) -> str:
    """Return one of the texts of the sample job."""
    return (FOLDER / name).read_text(encoding="utf-8")


def files(name: str) -> Files:
    """Return the files below a folder of the sample job, by their paths in the repository.

    ``__init__.py``, which needs the others, comes after them.
    """
    folder = FOLDER / name
    found = sorted((path.relative_to(folder) for path in folder.rglob("*.txt")), reverse=True)
    return {path.as_posix().removesuffix(".txt"): text(f"{name}/{path}") for path in found}


def sample_files() -> Files:
    """Return the files of the sample repository: a small package of text utilities."""
    return files("repository")
