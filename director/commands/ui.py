"""``director ui``: the page of a job in the browser, as it stands, until ctrl-C."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

from director.command_line.context import Context, add_repo_flag
from director.command_line.screens.job_page import add_job_flag, open_in_browser, source_of
from director.model.errors import InterruptedRunError, RequestError

EXAMPLES = (
    ("director ui --open", "show the job in the browser while it runs"),
    ("director ui --port 8080", "on that port, for instance to forward it by ssh"),
)
DESCRIPTION = """\
Show a job in the browser while it runs: the page of `director report`,
read-only and on this machine only. The printed address holds a key that cannot
be guessed. ctrl-C ends it, with exit code 130, and does not touch the job."""
SLICE_SECS = 0.1  # between looks at whether an end was asked for
HIGHEST_PORT = 65535


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``ui``."""
    parser.description = DESCRIPTION
    parser.add_argument(
        "--port",
        metavar="N",
        type=port,
        default=0,
        help="the port on 127.0.0.1 (default: 0, any that is free)",
    )
    parser.add_argument("--open", action="store_true", help="open it in the browser")
    add_job_flag(parser)
    add_repo_flag(parser)


def port(text: str) -> int:
    """Return a port, 0 for any (argparse type)."""
    if text.isascii() and text.isdecimal() and int(text) <= HIGHEST_PORT:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a port, 0 to {HIGHEST_PORT}")


def run(args: argparse.Namespace, context: Context) -> int:
    """Serve the page until an end is asked for."""
    from threading import Thread

    from director.reporting.page.reading import read_page, state_of
    from director.reporting.page.serving import PageServer, Watched

    source = source_of(args, context)
    read_page(source)  # what is wrong is said here, not in the browser
    watched = Watched(
        lambda: read_page(source), lambda: state_of(source.directory), context.redactor
    )
    try:
        server = PageServer(watched, args.port)
    except OSError as error:
        raise RequestError(
            f"port {args.port} cannot be used: {error.strerror}", "name another with --port"
        ) from None
    with server:
        Thread(target=server.serve_forever, daemon=True).start()
        context.say(server.address)
        print("ctrl-C ends it.", file=context.err, flush=True)
        if args.open:
            open_in_browser(context, server.address)
        return _wait(context, server.shutdown)


def _wait(context: Context, shutdown: Callable[[], None]) -> int:
    try:
        while True:
            context.cancellation.check()
            time.sleep(SLICE_SECS)
    except InterruptedRunError as stop:
        return int(stop.exit_code)
    finally:
        shutdown()
