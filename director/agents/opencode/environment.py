"""The variables with which any OpenCode is started."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from director.repositories.git import without_git_variables


def environment(env: Mapping[str, str], config: Mapping[str, Any], scratch: Path) -> dict[str, str]:
    """Return the caller's variables ``env`` with inline configuration and a place for its files."""
    kept = without_git_variables(env)
    kept.pop("OPENCODE_PERMISSION", None)
    return kept | {
        "GIT_TERMINAL_PROMPT": "0",
        "OPENCODE_CONFIG_CONTENT": json.dumps(config),
        "OPENCODE_DB": ":memory:",  # one each: parallel calls cannot lock each other
        "OPENCODE_DISABLE_AUTOUPDATE": "1",
        "BUN_TMPDIR": str(scratch),  # each start unpacks megabytes there and leaves them
    }
