"""``python3 -m benchmarks``: measure, and print a table."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks import __doc__ as described
from benchmarks import jobs
from benchmarks.contestants import (
    OURS,
    REFERENCES,
    Contestant,
    cache_folder,
    reference,
    this_tree,
)
from benchmarks.in_memory import in_memory
from benchmarks.machine import load, machine, working_folder
from benchmarks.measuring import NotMeasured, Result
from benchmarks.reading_status import reading_status
from benchmarks.real_opencode import real_opencode
from benchmarks.stage import FLOOR, Stage
from benchmarks.start_up import start_up
from benchmarks.table import as_json, markdown
from tests.support.hermetic import hermetic_environment, remove_tree

ROUNDS = 5
INTERRUPTED = 130
SCENARIOS: dict[str, Callable[[Stage], Iterator[Result]]] = {
    "one-lane": jobs.one_lane,
    "eight-lanes": jobs.eight_lanes,
    "big-repository": jobs.big_repository,
    "long-plans": jobs.long_plans,
    "in-memory": in_memory,
    "start-up": start_up,
    "status": reading_status,
    "real-opencode": real_opencode,
}


def main(argv: Sequence[str]) -> int:
    """Measure what is asked for; 1 when this tree could not be measured, else 0.

    A ctrl-C ends it early, with what was measured by then.
    """
    asked = _parser().parse_args(argv)
    if asked.list:
        print(described)
        return 0
    place = asked.inside or working_folder()
    folder = Path(tempfile.mkdtemp(prefix="director-benchmarks-", dir=place)).resolve()
    try:
        return _compare(asked, folder)
    finally:
        remove_tree(folder)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="rounds (default: %(default)s)")
    parser.add_argument(
        "scenarios",
        nargs="*",
        type=_scenario,
        metavar="SCENARIO",
        help=f"of {', '.join(SCENARIOS)} (default: all)",
    )
    parser.add_argument("--list", action="store_true", help="say what the scenarios measure")
    parser.add_argument(
        "--reference",
        action="append",
        metavar="VERSION[=PROGRAM]",
        help="compare with this version, installed or as PROGRAM; may be repeated; "
        f"'none': with no other (default: {', '.join(REFERENCES)})",
    )
    parser.add_argument(
        "--in",
        dest="inside",
        metavar="FOLDER",
        type=Path,
        help="measure in FOLDER, e.g. on another file system (default: in memory where possible)",
    )
    parser.add_argument(
        "--quick", action="store_true", help="a smoke: tiny sizes, one round, this tree only"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return parser


def _scenario(name: str) -> str:
    if name not in SCENARIOS:
        raise argparse.ArgumentTypeError(f"unknown: {name} (of {', '.join(SCENARIOS)})")
    return name


def _compare(asked: argparse.Namespace, folder: Path) -> int:
    contestants, absent = _contestants(asked, folder)
    rounds = 1 if asked.quick else asked.rounds
    about = machine(folder)
    results: list[Result] = []
    interrupted = False
    try:
        for name in asked.scenarios or SCENARIOS:
            print(f"{name} …", file=sys.stderr, flush=True)
            place = folder / name
            place.mkdir()
            env = hermetic_environment(place / "home")
            stage = Stage(contestants, absent, rounds, asked.quick, place, env)
            results.extend(SCENARIOS[name](stage))
            remove_tree(place)
    except KeyboardInterrupt:
        interrupted = True  # what was measured by then is still worth reading
    about["load at the end"] = load()
    _print(results, about, as_document=asked.json)
    return _failed(results) or INTERRUPTED * interrupted


def _contestants(
    asked: argparse.Namespace, folder: Path
) -> tuple[tuple[Contestant, ...], dict[str, NotMeasured]]:
    """Return who takes part, and why those do not that were asked for as well."""
    wanted = asked.reference or ([] if asked.quick else list(REFERENCES))
    present, absent = [this_tree(folder / "this-tree")], {}
    for one in wanted:
        found = reference(one, cache_folder(os.environ)) if one != "none" else None
        if isinstance(found, Contestant):
            present.append(found)
        elif found:
            absent[one.partition("=")[0]] = found
    return tuple(present), absent


def _print(results: Sequence[Result], about: dict[str, str], *, as_document: bool) -> None:
    if as_document:
        print(json.dumps({"machine": about, "results": as_json(results)}, indent=2))
        return
    columns = list(dict.fromkeys((FLOOR, OURS, *(one.column for one in results))))
    print(", ".join(f"{name} {value}" for name, value in about.items()), end="\n\n")
    print(markdown(results, columns))


def _failed(results: Sequence[Result]) -> int:
    """Say what of this tree was not measured; returns the exit code."""
    reasons = {
        f"{one.scenario}: {one.column}: {one.cell.reason}"
        for one in results
        if isinstance(one.cell, NotMeasured) and one.column.startswith((OURS, FLOOR))
    }
    for reason in sorted(reasons):
        print(reason, file=sys.stderr)
    return 1 if reasons else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
