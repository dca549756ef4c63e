"""What a node asks for, as one short text: another one where anything of it was changed."""

from __future__ import annotations

import hashlib
import json

from director.model.codec.encoding import encode
from director.model.plan import Node


def digest_of(node: Node) -> str:
    """Return the digest of a node, its frozen tests included (sha256, hex)."""
    return hashlib.sha256(json.dumps(encode(node), sort_keys=True).encode()).hexdigest()
