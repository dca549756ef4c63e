"""The page of a bench in a real browser: it fits, complains of nothing and asks for nothing."""

from __future__ import annotations

from pathlib import Path

from director.model.secrets import NOTHING_SECRET
from director.reporting.experiment.page import experiment_page
from tests.e2e.browser import chromium, require_chromium
from tests.e2e.npm import UnavailableError, installed
from tests.e2e.test_page import AXE, LONG, SERIOUS, TOO_WIDE, WINDOWS
from tests.reporting.experiment.test_page import SUMMARY
from tests.reporting.experiment.test_table import sample
from tests.support.hermetic import HermeticCase


class TestBenchPage(HermeticCase):
    def setUp(self) -> None:
        super().setUp()
        self.tab = self.enterContext(chromium(require_chromium(), self.tmp)).tab()
        found = sample("x", "y")
        hostile = found._replace(asked=found.asked._replace(tasks={"x": LONG, "y": LONG}))
        path = self.tmp / "report.html"
        path.write_text(experiment_page(hostile, SUMMARY, NOTHING_SECRET), encoding="utf-8")
        self.address = path.as_uri()

    def test_fits_every_window_and_complains_of_nothing(self) -> None:
        for width, scheme in WINDOWS:
            with self.subTest(width=width, scheme=scheme):
                self.tab.open(self.address, width, scheme)
                self.assertEqual(self.tab.run(TOO_WIDE), 0)
        self.assertEqual((self.tab.complaints, self.tab.dialogs), ([], []))
        self.assertEqual(set(self.tab.asked), {self.address})

    def test_axe_finds_nothing_serious(self) -> None:
        try:
            folder = installed(AXE.replace("@", "-"), AXE)
        except UnavailableError as error:
            self.skipTest(str(error))
        script = Path(folder, "axe-core", "axe.min.js").read_text(encoding="utf-8")
        for width, scheme in WINDOWS[1:3]:
            with self.subTest(width=width, scheme=scheme):
                self.tab.open(self.address, width, scheme)
                self.tab.run(script)
                self.assertEqual(self.tab.run(SERIOUS), [])
