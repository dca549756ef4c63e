"""What a repository says about its models: provider settings, as the checkout has them.

Everything else of a project's configuration (instructions, AGENTS.md, plugins) reaches the agent
through the worktree, at the base commit. How models are reached is the machine's business, so
these settings are taken from the checkout even when they are not committed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from director.model.errors import RequestError
from director.model.patterns import lazy_pattern
from director.records.files import read_text

CONFIG_FILES = (
    "opencode.json",
    "opencode.jsonc",
    ".opencode/opencode.json",
    ".opencode/opencode.jsonc",
)
MODEL_KEYS = ("provider", "model", "small_model", "enabled_providers", "disabled_providers")
_STRING = r'"(?:\\.|[^"\\])*"'
_COMMENT = lazy_pattern(rf"({_STRING})|//[^\n]*|/\*.*?\*/", re.DOTALL)
_TRAILING_COMMA = lazy_pattern(rf"({_STRING})|,(?=\s*[\]}}])")


def model_settings(repository_root: Path) -> dict[str, Any]:
    """Return the merged provider and model settings of the repository's agent configuration.

    Raises RequestError for a file that is not JSON (comments and trailing commas are fine).
    """
    merged: dict[str, Any] = {}
    for name in CONFIG_FILES:
        path = repository_root / name
        text = read_text(path)
        if text is None:
            continue
        text = re.sub(r"\{file:(?![/~])(?:\./)?", f"{{file:{path.parent.as_posix()}/", text)
        settings = parse_settings(text, str(path))
        merged = deep_merge(merged, {k: v for k, v in settings.items() if k in MODEL_KEYS})
    return merged


def inherited_settings(env: Mapping[str, str]) -> dict[str, Any]:
    """Return the inline configuration that the caller's environment already carries."""
    text = env.get("OPENCODE_CONFIG_CONTENT", "")
    return parse_settings(text, "OPENCODE_CONFIG_CONTENT") if text.strip() else {}


def deep_merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``base`` with ``over`` put in, map by map."""
    merged = dict(base)
    for key, value in over.items():
        known = merged.get(key)
        both = isinstance(known, dict) and isinstance(value, dict)
        merged[key] = deep_merge(known, value) if both else value  # type: ignore[arg-type]
    return merged


def parse_settings(text: str, name: str) -> dict[str, Any]:
    """Return the settings in a configuration of OpenCode's; RequestError mentions ``name``."""
    plain = _COMMENT.sub(lambda match: match[1] or " ", text)
    plain = _TRAILING_COMMA.sub(lambda match: match[1] or "", plain)
    try:
        value = json.loads(plain)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"{name} is not valid JSON: {error}", "correct it") from None
    if not isinstance(value, dict):
        raise RequestError(f"{name} must hold a JSON object", "correct it")
    return value
