"""The trailers of director's commits: git itself is the record that a resumed run believes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from director.model.plan import Node

PREFIX = "Director-"
JOB = "Director-Job"
NODE = "Director-Node"
KIND = "Director-Kind"
VIEW = "Director-View"
MERGE, TESTS, CANDIDATE = "merge", "tests", "candidate"


def commit_message(subject: str, trailers: Mapping[str, object]) -> str:
    """Return a commit message: one line, then ``Director-*`` trailers, in the order given.

    A value that is a tuple gives one trailer for each of its elements.
    """
    lines = [f"{key}: {value}" for key, value in trailer_pairs(trailers)]
    return f"{subject}\n\n" + "\n".join(lines) + "\n"


def trailer_pairs(trailers: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """Return the trailers as git gives them back: full keys, values on one line."""
    return tuple(
        (f"{PREFIX}{name}", single_line(str(value)))
        for name, given in trailers.items()
        for value in (given if isinstance(given, tuple) else (given,))
    )


def single_line(text: str) -> str:
    """Return ``text`` with every run of white space as one blank, and as UTF-8 can hold it."""
    return " ".join(text.encode(errors="backslashreplace").decode().split())


def tests_hash(node: Node) -> str:
    """Return one sha256 (hex) over the node's frozen tests: paths and hashes, sorted."""
    lines = "".join(f"{path}\0{digest}\n" for path, digest in sorted(node.test_hashes.items()))
    return hashlib.sha256(lines.encode()).hexdigest()
