"""The page as one HTML file: no network, and only the styles and scripts that have these hashes."""

import base64
import hashlib
from collections.abc import Iterator
from importlib import resources
from typing import NamedTuple

from director.model.secrets import NOTHING_SECRET, Redactor
from director.reporting.page.costs import costs
from director.reporting.page.elements import Child, Element, Raw, tag, written
from director.reporting.page.graph import graph
from director.reporting.page.lanes import lanes
from director.reporting.page.marks import id_of
from director.reporting.page.node_part import node_part
from director.reporting.page.overview import (
    failures_part,
    plan_part,
    reproduce_part,
    verdict_part,
)
from director.reporting.page.page import Page

STYLE, SCRIPT, LIVE = "style.css", "script.js", "live.js"
REFRESH_SECS = 10  # of a page that is served, where scripts do not run
NODES = "nodes"


class Part(NamedTuple):
    """A part of the page that can be replaced by itself, by its element's id."""

    id: str
    element: Element


class Live(NamedTuple):
    """A page that is served while the job runs: which ``version`` of it this is."""

    version: int


def parts_of(page: Page) -> list[Part]:
    """Return the parts of the page, in their order; those of nodes have the nodes' ids."""
    nodes = [Part(id_of(part.node.id), node_part(part)) for part in page.nodes]
    drawn = [tag("h2", "Graph"), graph(page.nodes)] if page.nodes else []
    return [
        _section("verdict", verdict_part(page)),
        _section("failures", failures_part(page)),
        _section("dag", iter(drawn)),
        _section("timeline", _titled("Timeline", lanes(page.sessions))),
        _section("costs", _titled("Cost", costs(page))),
        *nodes,
        _section("plan", plan_part(page)),
        _section("reproduce", reproduce_part(page)),
    ]


def _section(name: str, children: Iterator[Child]) -> Part:
    return Part(name, tag("section", children, id=name))


def _titled(title: str, children: Iterator[Child]) -> Iterator[Child]:
    yield tag("h2", title)
    yield from children


def document(page: Page, redactor: Redactor, live: Live | None = None) -> str:
    """Return the whole file; ``live``: it is served, and asks for what is new."""
    title = f"{page.sentence} {page.status.job_id}"
    return html_file(title, parts_of(page), redactor, live)


def html_file(
    title: str, parts: list[Part], redactor: Redactor = NOTHING_SECRET, live: Live | None = None
) -> str:
    """Return an HTML file of parts; those of nodes get a section together."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy(live is not None)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("meta", name="robots", content="noindex"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("noscript", tag("meta", http_equiv="refresh", content=str(REFRESH_SECS)))
        if live
        else None,
        tag("title", f"director: {title}"),
        tag("style", file_of(STYLE)),
    )
    body = tag(
        "body",
        tag("a", "Skip to the nodes", href=f"#{NODES}", class_="skip"),
        tag("p", id="live", role="status", class_="quiet") if live else None,
        tag("main", _arranged(parts)),
        tag("script", file_of(SCRIPT)),
        tag("script", file_of(LIVE)) if live else None,
        data_version=str(live.version) if live else None,
    )
    return f"<!doctype html>\n{written(tag('html', head, body, lang='en'), redactor)}\n"


def _arranged(parts: list[Part]) -> Iterator[Child]:
    """Give the parts, with all nodes in one section where the first of them stands."""
    nodes = [part for part in parts if part.element.name == "details"]
    for part in parts:
        if part not in nodes:
            yield part.element
        elif part is nodes[0]:
            yield _nodes(nodes)
    if not nodes:
        yield tag("div", id=NODES)


def _nodes(nodes: list[Part]) -> Element:
    return tag(
        "section",
        tag("h2", f"Nodes ({len(nodes)})"),
        tag("div", id="filter", hidden=True),
        (part.element for part in nodes),
        id=NODES,
    )


def policy(live: bool) -> str:
    """Return the Content-Security-Policy: styles and scripts by hash, no network but one's own."""
    scripts = (SCRIPT, LIVE) if live else (SCRIPT,)
    allowed = " ".join(hash_of(file_of(name)) for name in scripts)
    own = " connect-src 'self';" if live else ""
    return (
        f"default-src 'none'; style-src {hash_of(file_of(STYLE))}; script-src {allowed};{own} "
        "base-uri 'none'; form-action 'none'"
    )


def hash_of(text: str) -> str:
    """Return how a policy names a style or script by its content."""
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def file_of(name: str) -> Raw:
    """Return a style or script of this package."""
    return Raw((resources.files(__package__) / name).read_text(encoding="utf-8"))
