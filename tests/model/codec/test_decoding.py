"""Records come back from what is stored, and all that is wrong is said, each with its place.

With it: the marks (``marks``) and how classes are read (``fields``).
"""

from __future__ import annotations

import math
import unittest
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

from director.model.codec.decoding import JSON, TOML, Words, decode, decode_fields
from director.model.codec.marks import (
    Convert,
    DecodeWith,
    ErrorMessage,
    Key,
    Mark,
    Validate,
    between,
    one_of,
)
from director.model.codec.mistakes import MismatchError, Mistake, mismatch


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Leaf(NamedTuple):
    name: str
    number: int = 0


class Tree(NamedTuple):
    leaf: Leaf
    leaves: tuple[Leaf, ...] = ()
    colour: Colour | None = None
    by_name: Mapping[str, Leaf] = {}
    by_colour: Mapping[Colour, int] = {}
    anything: Any = None


@dataclass(frozen=True)
class Settings:
    ratio: float
    on: bool = False
    names: tuple[str, ...] = field(default_factory=tuple)


def _odd(value: int) -> Iterator[str]:
    if value % 2:
        yield "must be even"


def _doubled(value: object) -> int:
    if not isinstance(value, str):
        raise mismatch("must be doubled")
    return 2 * len(value)


class Marked(NamedTuple):
    leaf: Annotated[Leaf, Mark.INLINE] = Leaf("")
    even: Annotated[int, Validate(_odd)] = 0
    bounded: Annotated[float | None, between(0, 2, " (a few)")] = None
    kind: Annotated[str, one_of(("", "a", "b"))] = ""
    words: Annotated[tuple[str, ...], ErrorMessage("must be some words")] = ()
    plain: Annotated[str, Convert(str.strip), Key("other-name")] = ""
    own: Annotated[int, DecodeWith(_doubled)] = 0
    any_number: Annotated[float, Mark.ANY_NUMBER] = 0.0
    whole: Annotated[Mapping[Colour, int], Mark.COMPLETE] = {}


class Pair(NamedTuple):
    least: int = 0
    most: int = 0
    needed: Annotated[str, Mark.REQUIRED] = ""

    def mistakes(self) -> Iterator[Mistake]:
        if self.least > self.most:
            yield Mistake(("least",), "is above the most")


class DecodingCase(unittest.TestCase):
    def said(self, kind: Any, value: object, words: Words = JSON) -> list[str]:
        with self.assertRaises(MismatchError) as caught:
            decode(kind, value, words)
        return [str(mistake) for mistake in caught.exception.mistakes]


class TestDecoding(DecodingCase):
    def test_everything_that_a_record_can_hold(self) -> None:
        leaf = {"name": "x", "number": 2}
        stored = {
            "leaf": {"name": "a"},
            "leaves": [leaf, {"name": "y"}],
            "colour": "blue",
            "by_name": {"k": leaf},
            "by_colour": {"red": 1},
            "anything": [{}, None],
        }
        expected = Tree(
            Leaf("a"),
            (Leaf("x", 2), Leaf("y")),
            Colour.BLUE,
            {"k": Leaf("x", 2)},
            {Colour.RED: 1},
            [{}, None],
        )
        self.assertEqual(decode(Tree, stored), expected)
        self.assertIs(decode(Tree, stored).colour, Colour.BLUE)
        self.assertEqual(decode(Tree, {"leaf": {"name": ""}, "colour": None}), Tree(Leaf("")))
        self.assertEqual(decode(Settings, {"ratio": 1}), Settings(1))
        self.assertEqual(
            decode(Settings, {"ratio": 0.5, "names": ["a"]}), Settings(0.5, False, ("a",))
        )

    def test_all_mistakes_are_found_each_with_its_place(self) -> None:
        stored = {
            "leaves": [{"name": "x"}, {"name": 1, "number": True}, 5],
            "colour": "green",
            "by_name": {"a b": {"name": None}},
            "by_colour": {"rde": 1, "blue": "x"},
        }
        self.assertEqual(
            self.said(Tree, stored),
            [
                "leaf is missing",
                "leaves[1].name must be a string",
                "leaves[1].number must be a whole number",
                "leaves[2] must be an object",
                "colour must be one of red, blue, not 'green'",
                'by_name."a b".name must be a string',
                "by_colour.rde is not a known key (did you mean 'red'?)",
                "by_colour.blue must be a whole number",
            ],
        )

    def test_what_is_no_record_at_all(self) -> None:
        values: tuple[object, ...] = (None, [], "x", 1)
        for value in values:
            self.assertEqual(self.said(Leaf, value), ["must be an object"])
            self.assertEqual(self.said(Leaf, value, TOML), ["must be a table"])

    def test_kinds_are_not_mixed_up(self) -> None:
        for name, value, expected in (
            ("ratio", True, "must be a number"),
            ("ratio", "1", "must be a number"),
            ("ratio", math.nan, "must be a finite number"),
            ("ratio", -math.inf, "must be a finite number"),
            ("on", 1, "must be true or false"),
            ("on", None, "must be true or false"),
            ("names", "abc", "must be a list of strings"),
            ("names", {"a": 1}, "must be a list of strings"),
        ):
            stored = {"ratio": 1.0, name: value}
            self.assertEqual(self.said(Settings, stored), [f"{name} {expected}"], value)
        self.assertEqual(
            self.said(Leaf, {"name": "a", "number": 1.0}), ["number must be a whole number"]
        )

    def test_unknown_fields_are_left_out_or_named_with_a_guess(self) -> None:
        stored = {"name": "x", "nubmer": 1, "zzz": 2}
        self.assertEqual(decode(Leaf, stored), Leaf("x"))
        expected = ["nubmer is not a known key (did you mean 'number'?)"]
        expected.append("zzz is not a known key (known: name, number)")
        self.assertEqual(self.said(Leaf, stored, TOML), expected)
        self.assertIn(
            "leaf.x is not a known", self.said(Tree, {"leaf": {"name": "", "x": 1}}, TOML)[0]
        )

    def test_words_are_those_of_the_format(self) -> None:
        words = Words(missing="no {} here", unknown="a field")
        expected = ["no name here", "x is not a field (known: name, number)"]
        self.assertEqual(self.said(Leaf, {"x": 1}, words), expected)

    def test_fields_that_can_be_read_are_given_beside_the_mistakes(self) -> None:
        values, mistakes = decode_fields(Settings, {"ratio": "x", "on": True})
        self.assertEqual(values, {"on": True})
        self.assertEqual(mistakes, [Mistake(("ratio",), "must be a number")])


class TestMarks(DecodingCase):
    def decoded(self, **stored: object) -> Marked:
        return decode(Marked, {"name": "n", "number": 1, "whole": {"red": 1, "blue": 2}, **stored})

    def wrong(self, **stored: object) -> list[str]:
        with self.assertRaises(MismatchError) as caught:
            self.decoded(**stored)
        return [str(mistake) for mistake in caught.exception.mistakes]

    def test_fields_between_those_of_the_record(self) -> None:
        self.assertEqual(self.decoded().leaf, Leaf("n", 1))
        self.assertEqual(self.wrong(name=1), ["name must be a string"])
        self.assertEqual(self.said(Marked, {"even": 0}), ["name is missing"])
        marked = {"name": "", "extra": 1, "number": 0}
        (said,) = self.said(Marked, marked, TOML)
        self.assertIn("extra is not a known key", said)

    def test_rules(self) -> None:
        self.assertEqual(self.decoded(even=2).even, 2)
        self.assertEqual(self.wrong(even=3), ["even must be even"])
        self.assertEqual(self.wrong(even="3"), ["even must be a whole number"])

    def test_bounds(self) -> None:
        for good in (0, 2, 0.5, None):
            self.assertEqual(self.decoded(bounded=good).bounded, good)
        for bad in (-1, 2.1, math.nan, math.inf, 10**400):
            self.assertEqual(self.wrong(bounded=bad), ["bounded must be 0 to 2 (a few)"])

    def test_choices(self) -> None:
        self.assertEqual([self.decoded(kind=one).kind for one in ("", "a")], ["", "a"])
        for bad in ("c", 1, ["a"], None):
            self.assertEqual(self.wrong(kind=bad), [f"kind must be one of a, b, not {bad!r}"])

    def test_one_thing_is_said_whatever_is_wrong(self) -> None:
        for bad in ("x", ["x", 1]):
            self.assertEqual(self.wrong(words=bad), ["words must be some words"])

    def test_values_that_are_changed_and_fields_with_other_names(self) -> None:
        self.assertEqual(self.decoded(**{"other-name": " x "}).plain, "x")
        self.assertEqual(self.decoded(plain="x").plain, "")
        self.assertEqual(self.wrong(**{"other-name": 1}), ["other-name must be a string"])

    def test_fields_that_are_decoded_in_their_own_way(self) -> None:
        self.assertEqual(self.decoded(own="abc").own, 6)
        self.assertEqual(self.wrong(own=3), ["own must be doubled"])

    def test_numbers_that_need_not_be_finite(self) -> None:
        self.assertEqual(self.decoded(any_number=math.inf).any_number, math.inf)
        self.assertEqual(self.wrong(any_number=True), ["any_number must be a number"])

    def test_mappings_that_have_every_key(self) -> None:
        self.assertEqual(self.wrong(whole={"red": 1}), ["whole.blue is missing"])

    def test_what_fields_get_wrong_together(self) -> None:
        self.assertEqual(decode(Pair, {"least": 1, "most": 2, "needed": ""}), Pair(1, 2))
        self.assertEqual(self.said(Pair, {"least": 1, "needed": ""}), ["least is above the most"])
        wrong = {"least": 1, "most": "x", "needed": ""}
        self.assertEqual(
            self.said(Pair, wrong), ["most must be a whole number", "least is above the most"]
        )

    def test_fields_that_are_required_though_they_have_a_default(self) -> None:
        self.assertEqual(self.said(Pair, {"most": 2}), ["needed is missing"])
