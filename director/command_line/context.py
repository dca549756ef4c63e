"""What every command has: its environment, its streams, and the flags they share."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

from director.command_line.ending import Ends, completed
from director.command_line.result import Result
from director.model.errors import RequestError
from director.model.printable import one_line
from director.model.secrets import Redactor
from director.processes.cancellation import Cancellation
from director.records.job_directory import FOLDER, Home
from director.repositories.checkout import top_of_checkout

if TYPE_CHECKING:  # git and processes: what only reads records needs neither
    from director.repositories.repository import Repository


class Context(NamedTuple):
    """The process around a command; results go to ``out``, progress and errors to ``err``.

    Neither ever shows a key of the environment: ``redactor`` knows them. ``ends`` is told how the
    command ended.
    """

    env: Mapping[str, str]
    cancellation: Cancellation
    stdin: IO[str]
    out: IO[str]
    err: IO[str]
    redactor: Redactor
    ends: Ends

    def say(self, text: str) -> None:
        """Print a result."""
        print(self.redactor.text(text), file=self.out, flush=True)

    def say_json(self, args: argparse.Namespace, result: Result) -> None:
        """Print the one object of ``--json``."""
        self.ends.said = True
        self.say(result.as_json(args.command))

    def as_json(self, args: argparse.Namespace, result: Result) -> str:
        """Return the one object of ``--json`` for what kept a command from a result."""
        result = completed(args, result._replace(job_id=self.ends.job_id))
        return self.redactor.text(result.as_json(args.command))

    def note_end(self, args: argparse.Namespace, result: Result) -> None:
        """Put on record what keeps a command from a result, where nothing more can be told."""
        self.ends.note(args.command, completed(args, result), self.redactor)

    def finish(self, args: argparse.Namespace, result: Result) -> int:
        """Print what a command came to, as text or as the one object of ``--json``.

        Its commands can be copied then, and the job that it worked on has the end on record.
        Returns the exit code.
        """
        result = completed(args, result)
        self.ends.tell(args.command, result)
        if wants_json(args):
            self.say_json(args, result)
        elif result.text:
            self.tell(self.out, result.text)
        return int(result.exit_code)

    def fail(self, args: argparse.Namespace, result: Result) -> int:
        """Print what kept a command from a result: two lines on ``err``, the object on ``out``.

        Returns the exit code.
        """
        result = completed(args, result._replace(job_id=self.ends.job_id))
        self.ends.tell(args.command, result)
        if wants_json(args):
            self.say_json(args, result)
        self.complain(result.what, result.next_step)
        return int(result.exit_code)

    def complain(self, what: str, next_step: str) -> None:
        """Print on ``err`` what is in the way, and what can be done: a line each."""
        what, next_step = one_line(what), one_line(next_step)
        self.tell(self.err, f"director: {what}\n  next: {next_step}")

    def tell(self, stream: IO[str], text: str) -> None:
        """Print lines without secrets; a terminal has them broken between words."""
        text = self.redactor.text(text)
        if stream.isatty():
            from director.reporting.terminal.messages import fitted
            from director.reporting.terminal.windows import width_for

            text = fitted(text, width_for(stream, self.env))
        print(text, file=stream, flush=True)


def add_repo_flag(parser: argparse.ArgumentParser) -> None:
    """Add ``--repo``."""
    parser.add_argument(
        "--repo",
        metavar="PATH",
        type=Path,
        default=Path(),
        help="the repository, or any folder in it (default: .)",
    )


def add_common_flags(parser: argparse.ArgumentParser) -> None:
    """Add ``--repo`` and ``--json``."""
    add_repo_flag(parser)
    parser.add_argument(
        "--json",
        action="store_true",
        help="print one JSON object on standard output, and nothing else there",
    )


def add_events_flag(parser: argparse.ArgumentParser) -> None:
    """Add ``--events``."""
    parser.add_argument(
        "--events",
        action="store_true",
        help="print each event as a JSON object in a line of standard output, as it happens; "
        "the last line is the object of --json",
    )


def wants_json(args: argparse.Namespace) -> bool:
    """Whether the result is to be printed for programs."""
    return bool(getattr(args, "json", False) or getattr(args, "events", False))


def add_parallel_flag(parser: argparse.ArgumentParser, what: str) -> None:
    """Add ``--parallel``."""
    parser.add_argument(
        "--parallel",
        metavar="N",
        type=lanes,
        default=1,
        help=f"{what}, or `auto`: as many as this machine and the plan allow (default: 1)",
    )


def lanes(text: str) -> int | None:
    """Return a number of lanes, None for ``auto`` (argparse type)."""
    try:
        return None if text == "auto" else positive(text)
    except argparse.ArgumentTypeError as error:
        raise argparse.ArgumentTypeError(f"{error}, nor auto") from None


def positive(text: str) -> int:
    """Return a whole number of 1 or more (argparse type)."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return number


def find_repository(args: argparse.Namespace, context: Context) -> "Repository":
    """Return the repository that ``--repo`` names."""
    from director.repositories.repository import open_repository

    return open_repository(_folder(args), context.env)


def find_home(args: argparse.Namespace, context: Context) -> Home:
    """Return the ``.director`` of that repository; most often git need not be asked."""
    top = top_of_checkout(_folder(args)) or find_repository(args, context).root
    return Home(top / FOLDER, context.redactor)


def _folder(args: argparse.Namespace) -> Path:
    repo: Path = args.repo
    if not repo.is_dir():
        raise RequestError(f"there is no folder {repo}", "name another with --repo")
    return repo


def home_of(repository: "Repository", context: Context) -> Home:
    """Return the repository's ``.director``."""
    return Home(repository.root / FOLDER, context.redactor)
