"""Workflow commands of GitHub Actions: groups, annotations, and texts that are none."""

from __future__ import annotations

import re

MARK = "::"
OLD_MARK = "##["  # of the first version, which the runner finds anywhere in a line


def group(title: str) -> str:
    """Return the line that begins a group, which can be folded."""
    return f"::group::{_data(title)}"


END_GROUP = "::endgroup::"


def error(title: str, message: str) -> str:
    """Return the line that makes an annotation."""
    return f"::error title={_property(title)}::{_data(message)}"


def harmless(line: str) -> str:
    """Return ``line`` so that the runner takes it for text, whatever it says."""
    text = line.replace(OLD_MARK, "## [")
    return re.sub(r"^(\s*):(?=:)", r"\1: ", text)


def _data(text: str) -> str:
    safe = text.replace(OLD_MARK, "## [")
    return safe.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
