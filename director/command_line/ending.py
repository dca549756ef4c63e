"""How a command ends: its next step is completed, the end is recorded and told."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from director.command_line.again import Given
from director.command_line.result import Result
from director.model.errors import DirectorError
from director.model.printable import one_line
from director.model.secrets import NOTHING_SECRET, Redactor

if TYPE_CHECKING:  # what only reads records needs none
    from director.job.context import Workspace
    from director.job.ending import End
    from director.job.notifying import Notifier


class Ends:
    """Where ends are told: ``workspace`` is the command's, once it has one.

    ``said``: the object of ``--json`` was printed, or is just about to be. ``notifier`` tells the
    user's own command of ends, where that is wanted.
    """

    def __init__(
        self,
        workspace: Workspace | None = None,
        said: bool = False,
        notifier: Notifier | None = None,
    ) -> None:
        self.workspace = workspace
        self.said = said
        self.notifier = notifier
        self.told = False  # how the command ended

    @property
    def job_id(self) -> str | None:
        """The job that the command worked on last, if any."""
        opened = self.workspace.opened if self.workspace else []
        return opened[-1].job_id if opened else None

    def tell(self, command: str, result: Result) -> None:
        """Tell how the command ended."""
        if self.workspace is None:
            return
        from director.job.ending import tell_end

        notifier = self.notifier
        tell_end(self.workspace, _end(command, result), notifier.hear_end if notifier else None)
        self.told = True
        if notifier:
            notifier.close(self.workspace.events)

    def note(self, command: str, result: Result, redactor: Redactor) -> None:
        """Put on the job's record how the command ends, and tell nothing else of it.

        It waits for no lock: a handler of a signal may call it.
        """
        if self.workspace is None or self.told:
            return
        from director.job.ending import note_end

        note_end(self.workspace, _end(command, result), redactor)


def _end(command: str, result: Result) -> End:
    from director.job.ending import End

    return End(command, result.reason, result.what, result.next_step, result.exit_code)


def completed(args: argparse.Namespace, result: Result) -> Result:
    """Return ``result`` with commands that can be copied, and the next one as arguments."""
    given = Given.of(args)
    next_step = given.completed(result.next_step)
    command = result.next_command
    return result._replace(
        text=result.text if result.copyable else given.completed(result.text),
        next_step=next_step,
        next_command=given.command_in(next_step) if command is None else given.complete(command),
    )


def of_error(error: DirectorError, redactor: Redactor = NOTHING_SECRET) -> Result:
    """Return the result of a command that ended in an error; one line each, and no secret."""
    what, next_step = (one_line(redactor.text(text)) for text in (error.what, error.next_step))
    return Result("", {"error": what}, error.exit_code, what, next_step, error.reason)
