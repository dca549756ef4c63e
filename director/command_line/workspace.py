"""What the commands that work on a job begin with: the workspace and the configuration."""

from __future__ import annotations

import argparse
from pathlib import Path

from director.agents.registry import BACKENDS
from director.command_line.context import Context, find_repository, home_of
from director.command_line.output import listeners_for
from director.job.context import Workspace
from director.model.config import Config
from director.model.config_reader import read_config
from director.model.errors import RequestError
from director.processes.children import adopt_orphans
from director.records.events import Events
from director.records.files import read_text
from director.reporting.live.event_lines import event_lines


def open_workspace(args: argparse.Namespace, context: Context) -> Workspace:
    """Return where the command works; makes ``.director`` where there is none."""
    adopt_orphans()
    repository = find_repository(args, context)
    home = home_of(repository, context)
    home.prepare()
    also = [event_lines(context.out)] if getattr(args, "events", False) else []
    events = Events([*listeners_for(args, context), *also], context.redactor)
    workspace = Workspace(repository, home, context.env, events, context.cancellation)
    context.ends.workspace = workspace
    return workspace


def load_config(path: Path) -> Config:
    """Return the configuration at ``path``; RequestError when there is none, or it is wrong."""
    text = read_text(path)
    if text is None:
        raise RequestError(
            f"there is no configuration at {path}",
            "`director init` makes one",
        )
    return read_config(text, str(path), BACKENDS)
