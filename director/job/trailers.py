"""The trailers of director's commits: git itself is the record that a resumed run believes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from director.model.plan import Node

NODE = "Director-Node"
KIND = "Director-Kind"
MERGE, TESTS = "merge", "tests"


def commit_message(subject: str, trailers: Mapping[str, object]) -> str:
    """Return a commit message: one line, then ``Director-*`` trailers."""
    lines = [f"Director-{name}: {value}" for name, value in trailers.items()]
    return f"{subject}\n\n" + "\n".join(lines) + "\n"


def tests_hash(node: Node) -> str:
    """Return one sha256 (hex) over the node's frozen tests: paths and hashes, sorted."""
    lines = "".join(f"{path}\0{digest}\n" for path, digest in sorted(node.test_hashes.items()))
    return hashlib.sha256(lines.encode()).hexdigest()
