"""How nodes and amounts look on a page: marks, words, links and bars."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import quote

from director.model.state import NodeStatus
from director.reporting.page.elements import Child, Element, tag
from director.reporting.status.times import seconds_of


class Mark(NamedTuple):
    """How a status looks: a sign in text, a colour by its class, a shape in drawings.

    ``shape`` is a path within a square of 16 by 16, ``sign`` is drawn over it.
    """

    sign: str
    colour: str
    shape: str
    over: str = ""


CIRCLE = "M8 1A7 7 0 1 1 8 15A7 7 0 1 1 8 1Z"
MARKS = {
    NodeStatus.DONE: Mark("✓", "good", CIRCLE, "M4.5 8.2L7 10.7L11.5 5.6"),
    NodeStatus.FAILED: Mark(
        "✗", "bad", "M5 1H11L15 5V11L11 15H5L1 11V5Z", "M5.2 5.2L10.8 10.8M10.8 5.2L5.2 10.8"
    ),
    NodeStatus.RUNNING: Mark("▶", "busy", "M2.5 1L15 8L2.5 15Z"),
    NodeStatus.PENDING: Mark("○", "plain", CIRCLE),
    NodeStatus.BLOCKED: Mark("■", "warn", "M2 2H14V14H2Z", "M4.5 8H11.5"),
    NodeStatus.TAKEN: Mark("◆", "warn", "M8 0.5L15.5 8L8 15.5L0.5 8Z"),
}


def shape(status: NodeStatus, x: float, y: float, size: float = 16) -> Element:
    """Return the shape of a status with its upper left corner at ``x`` and ``y``, for a drawing."""
    mark = MARKS[status]
    over = tag("path", class_="over", d=mark.over) if mark.over else None
    return tag(
        "g",
        tag("path", class_="shape", d=mark.shape),
        over,
        class_=f"mark {mark.colour}",
        transform=f"translate({x:g} {y:g}) scale({size / 16:g})",
    )


def icon(status: NodeStatus) -> Element:
    """Return the shape of a status to stand in text; the status is said beside it."""
    drawn = shape(status, 1, 1)
    return tag("svg", drawn, class_="icon", viewBox="0 0 18 18", aria_hidden="true")


def id_of(node: str) -> str:
    """Return the id of a node's element."""
    return f"node-{node}"


def link_to(node: str, text: str = "") -> Element:
    """Return a link to a node on the page."""
    return tag("a", text or node, href=f"#{quote(id_of(node))}")


def clock(moment: str) -> str:
    """Return a moment of a record as people read it, in UTC; "" for what is none."""
    secs = seconds_of(moment)
    return "" if secs is None else clock_of(secs)


def clock_of(secs: float) -> str:
    """Return seconds since 1970 as people read them, in UTC."""
    return datetime.fromtimestamp(secs, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def bar(share: float, label: str = "") -> Element:
    """Return a bar that is filled by ``share`` (0 to 1); the number stands beside it."""
    width = f"{100 * min(max(share, 0.0), 1.0):.1f}%"
    return tag(
        "svg",
        tag("rect", class_="track", width="100%", height="8", rx="2"),
        tag("rect", class_="filled", width=width, height="8", rx="2"),
        class_="bar",
        height="8",
        role="img" if label else None,
        aria_label=label or None,
        aria_hidden=None if label else "true",
    )


def command(text: str, why: str = "") -> Element:
    """Return a command that can be copied, and what it is good for."""
    said = tag("span", f" {why}", class_="why") if why else None
    return tag("li", tag("code", text, class_="command"), said)


def scrolled(label: str, *children: Child) -> Element:
    """Return a region that scrolls by itself, with the keyboard, too."""
    return tag("div", *children, class_="scroll", role="region", aria_label=label, tabindex="0")


def table(
    label: str, header: Iterable[str], rows: Iterable[Iterable[Child]], numbers: int = 0
) -> Element:
    """Return a table in a region of its own; the last ``numbers`` columns are numbers."""
    names = list(header)
    first = len(names) - numbers
    head = (
        tag("th", name, scope="col", class_="number" if place >= first else None)
        for place, name in enumerate(names)
    )
    body = (tag("tr", _cells(cells, first)) for cells in rows)
    return scrolled(label, tag("table", tag("thead", tag("tr", head)), tag("tbody", body)))


def _cells(cells: Iterable[Child], first_number: int) -> Iterator[Element]:
    for place, cell in enumerate(cells):
        if place == 0:
            yield tag("th", cell, scope="row")
        else:
            yield tag("td", cell, class_="number" if place >= first_number else None)


def facts(*pairs: tuple[str, Child | Iterable[Child] | None]) -> Element:
    """Return names with what is to be said of each; those with nothing are left out."""
    return tag(
        "dl", (part for name, said in pairs if said for part in (tag("dt", name), tag("dd", said)))
    )
