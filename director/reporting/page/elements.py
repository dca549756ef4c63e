"""HTML as values: elements, which become text in one place where every text is made harmless."""

import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import NamedTuple, TypeAlias

from director.model.patterns import lazy_pattern
from director.model.printable import printable
from director.model.secrets import Redactor

VOID = frozenset({"br", "hr", "input", "link", "meta"})
IN_RAW = lazy_pattern(r"</|<!--", re.IGNORECASE)


class Raw(str):
    """The content of a style or script element, from a file of this package: it stays as it is."""


class Element(NamedTuple):
    """An element; an attribute that is True has no value."""

    name: str
    attributes: Mapping[str, str | bool]
    children: "tuple[Child, ...]"


Child: TypeAlias = str | Element
Given: TypeAlias = str | Element | Iterable[Child] | None


def tag(name: str, /, *children: Given, **attributes: str | float | bool | None) -> Element:
    """Return an element. Of ``attributes`` those that are None or False are left out.

    ``class_`` is ``class``, and other underscores are hyphens. Children that are None are left out,
    those in a list or generator are taken one by one.
    """
    known = {
        _attribute(key): value if value is True else str(value)
        for key, value in attributes.items()
        if value is not None and value is not False
    }
    return Element(name, known, tuple(_flat(children)))


def _attribute(key: str) -> str:
    return key if key == "viewBox" else key.rstrip("_").replace("_", "-")


def _flat(children: Iterable[Given]) -> Iterator[Child]:
    for child in children:
        if isinstance(child, str | Element):
            yield child
        elif child is not None:
            yield from child


def written(element: Element, redactor: Redactor) -> str:
    """Return an element as HTML: no text in it can be markup, and none holds a known secret."""
    parts: list[str] = []
    _write(element, redactor, parts)
    return "".join(parts)


def _write(element: Element, redactor: Redactor, parts: list[str]) -> None:
    parts.append(f"<{element.name}")
    for name, value in element.attributes.items():
        parts.append(f" {name}" if value is True else f' {name}="{_safe(str(value), redactor)}"')
    parts.append(">")
    for child in element.children:
        if isinstance(child, Element):
            _write(child, redactor, parts)
        elif isinstance(child, Raw):
            parts.append(_raw(child))
        else:
            parts.append(_safe(child, redactor))
    if element.name not in VOID:
        parts.append(f"</{element.name}>")


def _safe(text: str, redactor: Redactor) -> str:
    return escape(redactor.text(printable(text)))


def _raw(text: Raw) -> str:
    if IN_RAW.search(text):
        raise ValueError("a style or script that could end its element")
    return str(text)
