"""A small HTML file of its own: elements as values, no network, styles by their hash only."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from html import escape
from typing import NamedTuple, TypeAlias

from director.model.printable import printable
from director.model.secrets import Redactor

VOID = frozenset({"meta", "line", "circle"})


class Element(NamedTuple):
    """An element; all texts in it are made harmless when it is written."""

    name: str
    attributes: Mapping[str, str]
    children: tuple[Child, ...]


Child: TypeAlias = "str | Element"


def tag(
    name: str, /, *children: Child | Iterable[Child], **attributes: str | float | None
) -> Element:
    """Return an element; ``class_`` is ``class``, other underscores are hyphens."""
    flat: list[Child] = []
    for child in children:
        flat.extend([child] if isinstance(child, str | Element) else child)
    known = {
        key if key == "viewBox" else key.rstrip("_").replace("_", "-"): f"{value}"
        for key, value in attributes.items()
        if value is not None
    }
    return Element(name, known, tuple(flat))


def html_file(title: str, style: str, body: Iterable[Child], redactor: Redactor) -> str:
    """Return an HTML file; ``style`` is the program's own, ``redactor`` knows what is secret."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    head = "".join(
        _written(one, redactor)
        for one in (
            tag("meta", charset="utf-8"),
            tag("meta", http_equiv="Content-Security-Policy", content=policy),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("meta", name="color-scheme", content="light dark"),
            tag("title", title),
        )
    )
    main = _written(tag("body", tag("main", body)), redactor)
    return (
        f'<!doctype html>\n<html lang="en"><head>{head}<style>{style}</style></head>{main}</html>\n'
    )


def _written(child: Child, redactor: Redactor) -> str:
    if isinstance(child, str):
        return _safe(child, redactor)
    given = "".join(f' {key}="{_safe(one, redactor)}"' for key, one in child.attributes.items())
    if child.name in VOID:
        return f"<{child.name}{given}/>"
    inner = "".join(_written(one, redactor) for one in child.children)
    return f"<{child.name}{given}>{inner}</{child.name}>"


def _safe(text: str, redactor: Redactor) -> str:
    return escape(redactor.text(printable(text)))
