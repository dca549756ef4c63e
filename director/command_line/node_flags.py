"""The flags of ``status`` that show one node."""

from __future__ import annotations

import argparse


def add_node_flags(parser: argparse.ArgumentParser) -> None:
    """Add ``--node`` and ``--diff``."""
    parser.add_argument(
        "--node",
        metavar="NODE",
        help="show all that is known about one node (its id, or the beginning of it)",
    )
    parser.add_argument(
        "--diff", action="store_true", help="with --node: what its last candidate changed"
    )
