"""What the events of ``codex exec --json`` say, in words that are true of any agent."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from director.model.usage import Tokens


def command_of(line: str) -> str:
    """Return the command in ``line``, which Codex gives as the words of its shell: ``bash -c …``.

    Words that cannot be told apart are returned as they are.
    """
    try:
        words = shlex.split(line)
    except ValueError:
        return line
    return words[2] if len(words) == 3 and words[1] in ("-c", "-lc") else line


def tokens_of(usage: Mapping[str, Any]) -> Tokens | None:
    """Return the tokens of a turn, in kinds that do not overlap; None for impossible counts.

    Codex counts what came from the cache, and what went there, as input, and reasoning as output.
    """
    names = ("input_tokens", "cached_input_tokens", "cache_write_input_tokens")
    given, read, written = (usage.get(name, 0) for name in names)
    said, thought = (usage.get(name, 0) for name in ("output_tokens", "reasoning_output_tokens"))
    counts = (given, read, written, said, thought)
    if not all(type(count) is int and count >= 0 for count in counts):
        return None
    found = Tokens(given - read - written, said - thought, read, written, thought)
    return found if min(found) >= 0 else None
