"""``director mcp``: a Model Context Protocol server, for another agent as the client."""

from __future__ import annotations

import argparse

from director.command_line.context import Context, add_repo_flag, find_home
from director.command_line.grammar.catalog import COMMANDS
from director.model.errors import ExitCode, RequestError
from director.model.reason import Reason

EXAMPLES = (
    ("director mcp --repo ~/work/shop", "the command for an agent's configuration"),
    ("director mcp --allow-land", "let the agent land jobs, too"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``mcp``."""
    parser.add_argument(
        "--allow-land",
        action="store_true",
        help="offer the tool `land`, which changes your own branch",
    )
    add_repo_flag(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """Serve on standard input and output until the client closes it."""
    from importlib import resources

    from director.mcp.commands import Commands
    from director.mcp.resources import Reader
    from director.mcp.server import Server
    from director.mcp.serving import LineWriter, serve
    from director.mcp.tools import offered

    args.repo = args.repo.resolve()
    if not args.repo.is_dir():
        raise RequestError(f"there is no folder {args.repo}", "name another with --repo")
    if args.allow_land and "land" not in COMMANDS:
        next_step = "leave --allow-land out"
        raise RequestError("there is no command land to allow", next_step, Reason.USAGE)
    if context.stdin.isatty():
        said = "director: waiting for a client's messages on standard input; ctrl-D ends"
        print(said, file=context.err, flush=True)
    commands = Commands(args.repo, context.env)
    reader = Reader(commands, lambda: find_home(args, context), context.redactor)
    manual = (resources.files("director") / "mcp" / "manual.md").read_text("utf-8")
    writer = LineWriter(context.out.fileno())
    tools = offered(COMMANDS, allow_land=args.allow_land)
    server = Server(tools, reader, commands, manual, writer.write)
    context.cancellation.last_resorts.append(server.insist)
    serve(context.stdin.fileno(), writer, server, lambda: context.cancellation.requested)
    context.cancellation.check()
    return ExitCode.DONE
