"""The page of a job in a real browser: it complains of nothing, fits, and can be used by keyboard.

With hostile texts in it nothing runs and nothing is asked for; a page that is served follows its
job. The rules of axe-core find nothing serious, on a phone and a desktop, light and dark.
"""

from __future__ import annotations

import threading
from pathlib import Path

from director.model.secrets import NOTHING_SECRET
from director.model.state import NodeStatus
from director.reporting.page.document import document
from director.reporting.page.page import Page
from director.reporting.page.serving import PageServer, Watched
from director.reporting.page.timeline import Doing, Row, Session, Span
from tests.e2e.browser import Browser, chromium, require_chromium
from tests.e2e.npm import UnavailableError, installed
from tests.reporting.page.pages import EVIL, example, node, page, part
from tests.reporting.status import statuses
from tests.support.hermetic import HermeticCase

AXE = "axe-core@4.14.1"
LONG = f"{EVIL} {'long_' * 90}"  # without a blank, as minified code has it
WINDOWS = ((390, "light"), (390, "dark"), (1280, "light"), (1280, "dark"))
OPEN_ALL = "document.querySelectorAll('details').forEach((one) => { one.open = true; })"
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
SERIOUS = """
axe.run().then((found) => found.violations
    .filter((one) => ["serious", "critical"].includes(one.impact))
    .map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(" ")}`))
"""
BACKGROUND = "getComputedStyle(document.body).backgroundColor"
FOCUSED = "document.activeElement.getAttribute('aria-label')"
UNTIL_IT_SAYS = """
new Promise((done) => {
    const look = () => document.querySelector("#verdict h1").textContent.includes("Everything")
        && done(document.getElementById("node-a").open);
    new MutationObserver(look).observe(document, { subtree: true, childList: true });
    look();
})
"""


def done() -> Page:
    """Return the page of a job that is done."""
    parts = (part(node(name), statuses.node(name)) for name in ("a", "b", "c"))
    return page(*parts, status={"integration_ok": True})


def large(count: int = 1000) -> Page:
    """Return the page of a job of so many nodes."""
    statuses_of = [NodeStatus.FAILED if i % 37 == 5 else NodeStatus.DONE for i in range(count)]
    parts = (
        part(
            node(f"n{i}", *({f"n{i // 2}", f"n{i - 1}"} if i else ()), spec="do it " * 40),
            statuses.node(f"n{i}", statuses_of[i], error="it is red"),
        )
        for i in range(count)
    )
    rows = (
        Row(f"n{i}", f"n{i}", i, i + 3, (Span(Doing.CALL, i, i + 2),), i % 3) for i in range(count)
    )
    return page(*parts, sessions=(Session(tuple(rows), 3),))


class TestPage(HermeticCase):
    def setUp(self) -> None:
        super().setUp()
        self.browser: Browser = self.enterContext(chromium(require_chromium(), self.tmp))

    def file(self, name: str, shown: Page) -> str:
        path = self.tmp / f"{name}.html"
        path.write_text(document(shown, NOTHING_SECRET), encoding="utf-8")
        return path.as_uri()

    def test_fits_every_window_and_complains_of_nothing(self) -> None:
        for name, shown in (("failed", example(LONG)), ("done", done()), ("large", large())):
            address = self.file(name, shown)
            tab = self.browser.tab()
            for width, scheme in WINDOWS:
                with self.subTest(page=name, width=width, scheme=scheme):
                    tab.open(address, width, scheme)
                    if name != "large":
                        tab.run(OPEN_ALL)
                    self.assertEqual(tab.run(TOO_WIDE), 0)
            self.assertEqual((tab.complaints, tab.dialogs), ([], []))
            self.assertEqual(set(tab.asked), {address})

    def test_prints_on_white_and_within_the_paper(self) -> None:
        tab = self.browser.tab()
        for name, shown in (("failed", example(LONG)), ("large", large(200))):
            tab.open(self.file(name, shown), 760, "dark", "print")
            if name == "failed":
                tab.run(OPEN_ALL)
            self.assertEqual(tab.run(TOO_WIDE), 0)
            self.assertEqual(tab.run(BACKGROUND), "rgb(255, 255, 255)")

    def test_axe_finds_nothing_serious(self) -> None:
        script = self.axe()
        address, tab = self.file("failed", example(EVIL)), self.browser.tab()
        for width, scheme in WINDOWS[1:3]:
            with self.subTest(width=width, scheme=scheme):
                tab.open(address, width, scheme)
                tab.run(OPEN_ALL)
                tab.run(script)
                self.assertEqual(tab.run(SERIOUS), [])

    def axe(self) -> str:
        try:
            folder = installed(AXE.replace("@", "-"), AXE)
        except UnavailableError as error:
            print(f"\nskipped, no axe-core to test with: {error}")
            self.skipTest(str(error))
        return Path(folder, "axe-core", "axe.min.js").read_text(encoding="utf-8")

    def test_the_graph_is_used_by_keyboard(self) -> None:
        tab = self.browser.tab()
        tab.open(self.file("failed", example()), 1280)
        tab.run("document.querySelector('#graph a').focus()")
        self.assertEqual(tab.run(FOCUSED), "a: done, make a")
        tab.press("ArrowRight", 39)
        self.assertEqual(tab.run(FOCUSED), "b: failed, module b")
        tab.press("Enter", 13)
        self.assertTrue(tab.run("new Promise((done) => setTimeout(() => done("
                                "document.getElementById('node-b').open)))"))  # fmt: skip
        self.assertEqual(tab.run("location.hash"), "#node-b")

    def test_a_page_that_is_served_follows_its_job(self) -> None:
        job = [example()]
        watched = Watched(lambda: job[-1], lambda: len(job), NOTHING_SECRET)
        server = PageServer(watched)
        self.addCleanup(server.server_close)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        self.addCleanup(server.shutdown)
        tab = self.browser.tab()
        tab.open(server.address, 390)
        tab.run("document.getElementById('node-a').open = true")
        job.append(done())
        self.assertTrue(tab.run(UNTIL_IT_SAYS), "what was open is not open any more")
        self.assertEqual((tab.complaints, tab.dialogs), ([], []))
        self.assertTrue(all(one.startswith(server.address) for one in tab.asked), tab.asked)
