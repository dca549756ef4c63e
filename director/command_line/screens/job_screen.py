"""How commands show where a job stands: ``status``, and ``run`` at its end."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from director.command_line.again import Given
from director.command_line.context import Context, wants_json
from director.command_line.output import style_of_output
from director.command_line.result import Result
from director.model.errors import DirectorError
from director.records.job_directory import FOLDER, JobDirectory
from director.reporting.status.next_steps import Asked, advice
from director.reporting.status.reader import read_status
from director.reporting.status.screen import View, render, verdict
from director.reporting.status.status import End, Status


def screen_of(
    args: argparse.Namespace,
    context: Context,
    directory: JobDirectory,
    *,
    stop: DirectorError | None = None,
    unpublished: str | None = None,
) -> str:
    """Return the screen for the current job, on which a command has just ended.

    ``stop`` ended it, if anything did before its work was done, and its branch could not be brought
    into the user's repository because of what ``unpublished`` says, if so.
    """
    end = _end(args, stop) if stop else None
    status = read_status(directory, end=end, unpublished=unpublished, whole=False)
    return render(status, style_of_output(args, context), view_of(args, directory))


def _end(args: argparse.Namespace, stop: DirectorError) -> End:
    next_step = Given.of(args).completed(stop.next_step)
    return End(stop.reason, stop.what, next_step, int(stop.exit_code))


def result_of(args: argparse.Namespace, status: Status, text: str, view: View) -> Result:
    """Return what ``status`` says of a job."""
    given = advice(status, view.asked)
    command = given.steps[0].command if given.steps else None
    step = given.first or (shlex.join(command) if command else "")
    data = _data(status) if wants_json(args) else {}
    return Result(
        text,
        data,
        what=verdict(status),
        next_step=step,
        next_command=command,
        job_id=status.job_id,
        copyable=True,
    )


def _data(status: Status) -> Mapping[str, Any]:
    from director.reporting.status.as_json import status_json

    return status_json(status)


def view_of(args: argparse.Namespace, directory: JobDirectory) -> View:
    """Return how the job in ``directory`` is shown to who asked with ``args``."""
    place = directory.path
    current = place.name == FOLDER
    job = None if current else getattr(args, "job", None)
    given = Given.of(args)
    archived = place.parent.name == "jobs" and place.parent.parent.name == FOLDER
    asked = Asked(given.repo, job, archived, given.lanes)
    return View(asked, _seen_from_here(place), getattr(args, "all", False))


def _seen_from_here(folder: Path) -> str:
    """Return a path as it can be copied in the repository."""
    try:
        here = Path.cwd()
    except OSError:
        return str(folder)
    root = next((one.parent for one in (folder, *folder.parents) if one.name == FOLDER), folder)
    return os.path.relpath(folder, here) if here.is_relative_to(root) else str(folder)


def is_terminal(stream: IO[str], context: Context) -> bool:
    """Whether ``stream`` is a terminal on which lines can be drawn again."""
    return stream.isatty() and context.env.get("TERM") != "dumb"
