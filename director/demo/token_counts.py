"""Believable token counts for scripted models, derived from lengths."""

from __future__ import annotations

import json
from typing import Any

from director.demo.turns import Say, Turn, Use

CHARACTERS_PER_TOKEN = 4  # a usual rule of thumb for English and code
INSTRUCTIONS = 2_400  # tokens of the agent's own prompt and its tools, before the request
THINKING_MODELS = frozenset({"planner", "test-author", "escalation"})


def count(text: str) -> int:
    """Return about how many tokens ``text`` has: 1 at least."""
    return max(1, len(text) // CHARACTERS_PER_TOKEN)


def answer_tokens(turn: Turn) -> int:
    """Return the tokens that the model writes in ``turn``, reasoning left out."""
    match turn:
        case Say(text):
            return count(text)
        case Use(calls):
            return sum(count(call.tool + json.dumps(dict(call.arguments))) for call in calls)
        case _:
            return 0


def reasoning_tokens(model: str, answered: int) -> int:
    """Return the tokens that ``model`` thinks before it writes ``answered`` tokens."""
    return answered // 2 if model.rpartition("/")[2] in THINKING_MODELS else 0


def as_events_have_them(context: int, cached: int, answered: int, reasoning: int) -> dict[str, Any]:
    """Return the counts of one step as OpenCode's events spell them.

    ``context`` are all tokens that the model read, of which ``cached`` came from the cache.
    """
    return {
        "total": context + answered + reasoning,
        "input": context - cached,
        "output": answered,
        "reasoning": reasoning,
        "cache": {"read": cached, "write": 0},
    }


def as_requests_have_them(
    context: int, cached: int, answered: int, reasoning: int
) -> dict[str, Any]:
    """Return the same counts as an OpenAI-compatible server reports them."""
    return {
        "prompt_tokens": context,
        "completion_tokens": answered + reasoning,
        "total_tokens": context + answered + reasoning,
        "prompt_tokens_details": {"cached_tokens": cached},
        "completion_tokens_details": {"reasoning_tokens": reasoning},
    }
