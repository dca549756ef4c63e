"""The pieces of Markdown that prompts are made of."""

from __future__ import annotations

from collections.abc import Iterable


def bullets(items: Iterable[str]) -> str:
    """Return one line per item."""
    return "\n".join(f"- {item}" for item in items)


def fenced(text: str, language: str = "") -> str:
    """Return ``text`` in a fence that nothing in it can close."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"
