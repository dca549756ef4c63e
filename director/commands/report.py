"""``director report``: all that is on record of a job, as one HTML file or as Markdown."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from director.command_line.context import Context, add_common_flags
from director.command_line.result import Result
from director.command_line.screens.job_page import add_job_flag, open_in_browser, source_of
from director.model.format import size
from director.records import files

if TYPE_CHECKING:  # the page is slow to import
    from director.reporting.page.page import Page

EXAMPLES = (
    ("director report --open", "look at the job in the browser"),
    ("director report --markdown", "verdict, failures and cost for a CI step summary"),
)
STDOUT = Path("-")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``report``."""
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        type=Path,
        help="where to write it, - for standard output (default: report.html beside the job's "
        "records; Markdown goes to standard output)",
    )
    parser.add_argument("--open", action="store_true", help="open it in the browser")
    parser.add_argument(
        "--markdown",
        action="store_true",
        help="write verdict, failures and cost as Markdown instead",
    )
    add_job_flag(parser)
    add_common_flags(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """Read the records, write the report, and say where it is."""
    from director.reporting.page.reading import read_page  # slow to import

    source = source_of(args, context)
    page = read_page(source)
    text = _text(args, context, page)
    target = _target(args, source.directory.report)
    if target is None:
        return _print(args, context, page, text)
    if args.output:
        files.write_for_user(target, text)
    else:
        files.write_text(target, text, durable=False)
    if args.open:
        open_in_browser(context, target.resolve().as_uri())
    what = f"the report is {target} ({size(len(text.encode(errors='replace')))})"
    data = {"file": str(target.resolve()), **_data(page)}
    said = f"{page.sentence}\nReport: {target}"
    return context.finish(args, Result(said, data, what=what, job_id=page.status.job_id))


def _text(args: argparse.Namespace, context: Context, page: Page) -> str:
    if args.markdown:
        from director.reporting.page.markdown import markdown

        return markdown(page, context.redactor)
    from director.reporting.page.document import document

    return document(page, context.redactor)


def _target(args: argparse.Namespace, usual: Path) -> Path | None:
    """Return the file to write; None for standard output."""
    if args.output is None:
        return None if args.markdown else usual
    return None if args.output == STDOUT else args.output


def _print(args: argparse.Namespace, context: Context, page: Page, text: str) -> int:
    name = "markdown" if args.markdown else "html"
    data = {"file": None, name: text, **_data(page)}
    result = Result(
        text.rstrip("\n"), data, what=page.sentence, job_id=page.status.job_id, copyable=True
    )
    return context.finish(args, result)


def _data(page: Page) -> dict[str, object]:
    return {
        "standing": page.status.standing.name.lower(),
        "verdict": page.sentence,
        "verified": page.verified.holds,
        "verify": page.verified.words,
        "failed": [part.node.id for part in page.failed],
        "nodes": len(page.nodes),
        "cost_ceiling_usd": page.ceiling_usd or None,
        **page.status.cost.totals(),
    }
