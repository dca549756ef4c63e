"""The timeline as a drawing: what every lane did, and when. Each kind has a colour and a height."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from director.model.format import counted, duration
from director.reporting.page.elements import Child, Element, tag
from director.reporting.page.marks import clock_of
from director.reporting.page.timeline import Doing, Row, Session, Span

LANE = 22  # pixels
HEIGHTS = {Doing.CALL: 14, Doing.GATE: 9, Doing.REVIEW: 14, Doing.MERGE: 18, Doing.WAITING: 2}
TICKS = 4  # parts into which the axis falls
LEAST_PERCENT = 0.15  # of the width: what is shorter could not be seen
NAMES = {
    Doing.CALL: "calls",
    Doing.GATE: "gates",
    Doing.REVIEW: "reviews",
    Doing.MERGE: "merges",
    Doing.WAITING: "waiting",
}


def lanes(sessions: Sequence[Session]) -> Iterator[Child]:
    """Give a drawing for each session, and before them what the signs mean."""
    if not sessions:
        yield tag("p", "Nothing has happened yet.")
        return
    yield tag("ul", (_legend(one) for one in Doing), class_="legend")
    for session in sessions:
        yield _session(session)


def _legend(doing: Doing) -> Element:
    sign = tag(
        "svg",
        _bar(doing, 0, 100, LANE / 2),
        class_="sign",
        width="22",
        height=str(LANE),
        aria_hidden="true",
    )
    return tag("li", sign, NAMES[doing])


def _session(session: Session) -> Element:
    took = session.ended - session.began
    spent = session.spent()
    parts = [f"{NAMES[one]} {duration(secs)}" for one, secs in spent.items() if secs]
    side = f", {session.lanes} side by side" if session.lanes > 1 else ""
    said = f"{clock_of(session.began)}: {duration(took)}{side}"
    height = session.lanes * LANE + 24
    drawn = tag(
        "svg",
        _axis(took, session.lanes * LANE),
        (_row(row, session) for row in session.rows),
        class_="lanes",
        width="100%",
        height=str(height),
        role="img",
        aria_label=f"{counted(len(session.rows), 'row')} in {counted(session.lanes, 'lane')}, "
        f"{duration(took)}",
    )
    return tag("figure", tag("figcaption", tag("b", said), f" · {', '.join(parts)}"), drawn)


def _axis(took: float, bottom: float) -> Iterator[Element]:
    for tick in range(TICKS + 1):
        x = f"{100 * tick / TICKS:g}%"
        anchor = "start" if tick == 0 else "end" if tick == TICKS else "middle"
        yield tag("line", class_="tick", x1=x, x2=x, y1="0", y2=f"{bottom + 4:g}")
        yield tag(
            "text",
            duration(took * tick / TICKS) if tick else "0",
            class_="axis" if tick in (0, TICKS) else "axis between",
            x=x,
            y=f"{bottom + 18:g}",
            text_anchor=anchor,
        )


def _row(row: Row, session: Session) -> Element:
    middle = row.lane * LANE + LANE / 2
    whole = Span(Doing.WAITING, row.began, row.ended)
    return tag(
        "g",
        tag("title", f"{row.label}: {duration(row.secs)}"),
        (_span(span, session, middle) for span in (whole, *row.spans)),
    )


def _span(span: Span, session: Session, middle: float) -> Element:
    took = (session.ended - session.began) or 1.0
    left = 100 * (span.began - session.began) / took
    width = max(LEAST_PERCENT, 100 * (span.ended - span.began) / took)
    return _bar(span.doing, min(left, 100 - LEAST_PERCENT), width, middle)


def _bar(doing: Doing, left: float, width: float, middle: float) -> Element:
    height = HEIGHTS[doing]
    return tag(
        "rect",
        class_=f"t-{doing}",
        x=f"{left:.3f}%",
        width=f"{width:.3f}%",
        y=f"{middle - height / 2:g}",
        height=str(height),
    )
