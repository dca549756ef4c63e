"""``director demo``: a whole job on a sample repository, with scripted models."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from director.command_line.context import Context
from director.demo.show import run_demo
from director.processes.capture import run_attached

EXAMPLES = (
    ("director demo", "show a job in a new temporary folder"),
    ("director demo sample --real", "with the OpenCode on PATH, in the folder sample"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``demo``."""
    parser.add_argument(
        "directory",
        metavar="DIR",
        nargs="?",
        type=Path,
        help="where to make the sample repository (default: a new temporary folder)",
    )
    parser.add_argument(
        "--real",
        action="store_true",
        help="use the OpenCode on PATH, with a scripted model on loopback",
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Show the demo."""

    def attached(argv: Sequence[str], cwd: Path, env: Mapping[str, str]) -> int:
        return run_attached(argv, cwd, env, context.cancellation)

    return run_demo(args.directory, args.real, context.env, context.say, attached)
