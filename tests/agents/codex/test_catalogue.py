"""What the real Codex 0.169.0 printed, shortened to the keys that are read."""

from __future__ import annotations

import unittest

from director.agents.codex.catalogue import offers_in

LISTED = """
{
 "models": [
  {
   "slug": "gpt-6-astra",
   "display_name": "GPT-6-Astra",
   "description": "Frontier intelligence for the most demanding work.",
   "visibility": "list",
   "priority": 2,
   "supported_in_api": true,
   "context_window": 272000
  },
  {
   "slug": "gpt-6.1-sol",
   "display_name": "GPT-6.1-Sol",
   "description": "Latest workhorse model for coding and everyday work.",
   "visibility": "list",
   "priority": 1,
   "supported_in_api": true,
   "context_window": 272000
  },
  {
   "slug": "gpt-6-luna",
   "display_name": "GPT-6-Luna",
   "description": "Fast and affordable model for easier tasks.",
   "visibility": "list",
   "priority": 4,
   "supported_in_api": true,
   "context_window": 272000
  },
  {
   "slug": "gpt-daybreak-blue-latest",
   "display_name": "Daybreak Blue",
   "description": "Latest frontier agentic coding model for broad defensive cybersecurity work.",
   "visibility": "hide",
   "priority": 11,
   "supported_in_api": true,
   "context_window": 272000
  }
 ]
}
"""


class TestCatalogue(unittest.TestCase):
    def test_what_is_shown_to_people_in_its_order(self) -> None:
        names = [one.tier for one in offers_in(LISTED)]
        self.assertEqual(names, ["codex/gpt-6.1-sol", "codex/gpt-6-astra", "codex/gpt-6-luna"])

    def test_what_it_says_of_one(self) -> None:
        found = offers_in(LISTED)[1]
        self.assertIn("Frontier", found.title)
        self.assertEqual((found.price, found.context), (None, 272_000))

    def test_anything_else_offers_nothing(self) -> None:
        for text in ("", "[]", '{"models": [1]}', '{"models": [{"visibility": "list"}]}'):
            self.assertEqual(offers_in(text), ())
