from __future__ import annotations

import unittest

from director.model.integration_gates import integration_words, not_counting, warning


class TestIntegrationWords(unittest.TestCase):
    def test_it_is_never_said_to_be_green_for_what_is_not(self) -> None:
        for given, said in (
            ((0, {}, []), ""),
            ((2, {}, []), "green"),
            ((1, {"lint": "red"}, []), "green but for lint (red before)"),
            (
                (1, {"lint": "red", "types": "broken"}, []),
                "green but for lint (red before), types (broken before)",
            ),
            ((1, {}, ["unit", "e2e"]), "not green: unit, e2e"),
            ((1, {"lint": "red"}, ["unit"]), "not green: unit; lint (red before)"),
        ):
            with self.subTest(said):
                self.assertEqual(integration_words(*given), said)


class TestWarning(unittest.TestCase):
    green, red, broken = ({"verdict": verdict} for verdict in ("green", "red", "broken"))

    def test_one_green_gate_is_enough(self) -> None:
        self.assertIsNone(warning({"unit": self.green, "lint": self.red}))

    def test_else_it_is_said_why_none_counts(self) -> None:
        self.assertIn("there is none in [gates]", warning({}) or "")
        said = warning({"lint": self.red, "types": self.broken}) or ""
        self.assertIn("lint is red on the base, types is broken on the base", said)

    def test_what_does_not_count_is_what_is_not_green(self) -> None:
        gates = {"unit": self.green, "lint": self.red, "types": self.broken}
        self.assertEqual(not_counting(gates), {"lint": "red", "types": "broken"})
