"""The DAG as a drawing: layers from left to right, a shape and a colour for where a node stands."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import quote

from director.model.dag import layers_of
from director.model.format import counted
from director.model.plan import Node
from director.model.printable import one_line
from director.reporting.page.elements import Element, tag
from director.reporting.page.marks import MARKS, id_of, scrolled, shape
from director.reporting.page.page import NodePart
from director.reporting.terminal.cells import cut

NAMED = 120  # nodes: of more only the shapes are drawn
MARGIN = 12


class Scale(NamedTuple):
    """How nodes are drawn: the box of one, the room around it, how many stand in a column."""

    width: float
    height: float
    gap: float
    between: float
    rows: int
    named: bool


LARGE = Scale(168, 32, 12, 44, 14, named=True)
SMALL = Scale(28, 28, 4, 28, 19, named=False)


class Place(NamedTuple):
    """The upper left corner of a node's box."""

    x: float
    y: float


class Layout(NamedTuple):
    """Where every node is drawn, and how large all of it is."""

    places: Mapping[str, Place]
    width: float
    height: float
    scale: Scale


def layout(nodes: Sequence[Node]) -> Layout:
    """Return where nodes are drawn: what a node waits for is to the left of it."""
    scale = LARGE if len(nodes) <= NAMED else SMALL
    columns: defaultdict[int, list[Node]] = defaultdict(list)
    layers = layers_of(nodes)
    for node in nodes:
        columns[layers[node.id]].append(node)
    places: dict[str, Place] = {}
    x = float(MARGIN)
    for layer in sorted(columns):
        ordered = _ordered(columns[layer], places)
        for number, node in enumerate(ordered):
            column, row = divmod(number, scale.rows)
            across = x + column * (scale.width + scale.gap)
            places[node.id] = Place(across, MARGIN + row * (scale.height + scale.gap))
        used = -(-len(ordered) // scale.rows)
        x += used * (scale.width + scale.gap) - scale.gap + scale.between
    bottom = max((place.y for place in places.values()), default=0.0)
    return Layout(places, x - scale.between + MARGIN, bottom + scale.height + MARGIN, scale)


def _ordered(nodes: Sequence[Node], places: Mapping[str, Place]) -> list[Node]:
    """Return the nodes of a layer, each as near as may be to those that it waits for."""

    def wanted(node: Node) -> float:
        above = [places[one].y for one in node.depends_on if one in places]
        return sum(above) / len(above) if above else 0.0

    return sorted(nodes, key=wanted)


def graph(parts: Sequence[NodePart]) -> Element:
    """Return the drawing; each node is a link to what is known of it."""
    found = layout([part.node for part in parts])
    drawn = tag(
        "svg",
        tag("path", class_="edges", d=_edges(parts, found)),
        (_node(part, found) for part in parts),
        id="graph",
        role="group",
        aria_label=f"{counted(len(parts), 'node')} and what each of them waits for",
        viewBox=f"0 0 {found.width:g} {found.height:g}",
        width=f"{found.width:g}",
        height=f"{found.height:g}",
    )
    return scrolled("the graph of nodes", drawn)


def _edges(parts: Iterable[NodePart], found: Layout) -> str:
    """Return all lines from nodes to those that wait for them, as one path."""
    scale, lines = found.scale, []
    for part in parts:
        to = found.places[part.node.id]
        for name in dict.fromkeys(part.node.depends_on):
            start = found.places[name]
            x, y = start.x + scale.width, start.y + scale.height / 2
            end_y, half = to.y + scale.height / 2, max(12.0, (to.x - x) / 2)
            lines.append(
                f"M{x:g} {y:g}C{x + half:g} {y:g} {to.x - half:g} {end_y:g} {to.x:g} {end_y:g}"
            )
    return "".join(lines)


def _node(part: NodePart, found: Layout) -> Element:
    place, scale = found.places[part.node.id], found.scale
    said = f"{part.node.id}: {part.status}, {one_line(part.node.title)}"
    box = tag(
        "rect", class_="box", x=f"{place.x:g}", y=f"{place.y:g}",
        width=f"{scale.width:g}", height=f"{scale.height:g}", rx="6",
    )  # fmt: skip
    middle = place.y + scale.height / 2
    name = tag("text", cut(part.node.id, 18), x=f"{place.x + 30:g}", y=f"{middle + 4.5:g}")
    return tag(
        "a",
        tag("title", said),
        box,
        shape(part.status, place.x + (8 if scale.named else 6), middle - 8),
        name if scale.named else None,
        href=f"#{quote(id_of(part.node.id))}",
        class_=f"node {MARKS[part.status].colour}",
        aria_label=said,
    )
