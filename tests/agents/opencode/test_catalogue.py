"""What ``opencode models --verbose`` of the real OpenCode 1.18.33 prints, shortened.

With it: ``opencode.environment``, ``agents.asking``.
"""

from __future__ import annotations

import json
import unittest
from typing import Any

from director.agents.opencode.catalogue import offers_in
from director.model.offers import Offer
from director.model.pricing import Price


def listed(tier: str, **about: Any) -> str:
    """Return a model as OpenCode prints it."""
    known = {
        "id": tier.partition("/")[2],
        "status": "active",
        "name": tier.title(),
        "capabilities": {"toolcall": True, "output": {"text": True, "audio": False}},
        "cost": {"input": 1.5, "output": 6, "cache": {"read": 0.1, "write": 0}},
        "limit": {"context": 100000, "output": 8000},
        "release_date": "2026-01-02",
    }
    return f"{tier}\n{json.dumps({**known, **about}, indent=2)}\n"


class TestCatalogue(unittest.TestCase):
    def test_a_model_with_its_price(self) -> None:
        price = Price(1.5, 6.0, cache_read=0.1)
        expected = Offer("p/m", "P/M", price, 100_000, "2026-01-02")
        self.assertEqual(list(offers_in(listed("p/m"))), [expected])

    def test_one_at_no_cost_has_no_known_price(self) -> None:
        free = {"input": 0, "output": 0, "cache": {"read": 0, "write": 0}}
        self.assertEqual([one.price for one in offers_in(listed("p/m", cost=free))], [None])

    def test_what_cannot_do_the_work_is_left_out(self) -> None:
        text = (
            listed("p/no-tools", capabilities={"toolcall": False})
            + listed("p/old", status="deprecated")
            + listed("p/draws", capabilities={"toolcall": True, "output": {"text": False}})
            + listed("p/good")
        )
        self.assertEqual([one.tier for one in offers_in(text)], ["p/good"])

    def test_names_alone_and_noise(self) -> None:
        text = "Update available!\np/one\np/two/three\n{ not JSON\n" + listed("p/m")
        found = [one.tier for one in offers_in(text)]
        self.assertEqual(found, ["p/one", "p/m"])
