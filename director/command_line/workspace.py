"""What the commands that work on a job begin with: the workspace and the configuration."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from director.agents.registry import BACKENDS
from director.command_line.context import Context, find_repository, home_of
from director.command_line.output import listeners_for
from director.job.context import Opened, Workspace
from director.job.notifying import COMMANDS, Notifier, notify_command
from director.job.switching import finish_switches
from director.model.config import Config
from director.model.config_reader import read_config
from director.model.errors import RequestError
from director.processes.children import adopt_orphans
from director.processes.heap import share_one_heap
from director.records.events import Events, Listener
from director.records.files import read_text
from director.records.job_directory import Home
from director.repositories.repository import Repository


def open_workspace(args: argparse.Namespace, context: Context) -> Workspace:
    """Return where the command works; makes ``.director`` where there is none."""
    share_one_heap()
    adopt_orphans()
    repository = find_repository(args, context)
    home = home_of(repository, context)
    home.prepare()
    finish_switches(home, repository)
    also: list[Listener] = []
    if getattr(args, "events", False):
        from director.reporting.live.event_lines import event_lines

        also.append(event_lines(context.out))
    opened: list[Opened] = []
    if notifier := _notifier(args, context, repository, home, opened):
        also.append(notifier.hear)
    events = Events([*listeners_for(args, context), *also], context.redactor)
    workspace = Workspace(
        repository, home, context.env, events, context.cancellation, set(), opened
    )
    context.ends.workspace, context.ends.notifier = workspace, notifier
    return workspace


def _notifier(
    args: argparse.Namespace,
    context: Context,
    repository: Repository,
    home: Home,
    opened: Sequence[Opened],
) -> Notifier | None:
    """Return what tells the user's command of pauses and ends; None where there is none."""
    if args.command not in COMMANDS or not (command := notify_command(home)):
        return None
    attended = args.command == "plan" and _is_attended(args, context)
    return Notifier(command, repository, opened, context.redactor, attended=attended)


def _is_attended(args: argparse.Namespace, context: Context) -> bool:
    from director.command_line.dialogs.terminal import terminal_of

    return terminal_of(args, context) is not None


def load_config(path: Path) -> Config:
    """Return the configuration at ``path``; RequestError when there is none, or it is wrong."""
    text = read_text(path)
    if text is None:
        raise RequestError(
            f"there is no configuration at {path}",
            "`director init` makes one",
        )
    return read_config(text, str(path), BACKENDS)
