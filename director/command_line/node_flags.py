"""The flags of ``status`` that show one node."""

from __future__ import annotations

import argparse


def add_node_flags(parser: argparse.ArgumentParser) -> None:
    """Add ``--node`` and ``--diff``."""
    parser.add_argument(
        "--node", metavar="NODE", help="all that is known of one node (or the beginning of its id)"
    )
    parser.add_argument(
        "--diff", action="store_true", help="with --node: what its last candidate changed"
    )
