from __future__ import annotations

import dataclasses
import unittest
from functools import cached_property
from types import SimpleNamespace
from typing import Any, NamedTuple

from director.model import values


class Pair(NamedTuple):
    left: Any
    right: int = 0


def classes_of(made_by: Any) -> Any:
    """Return the same classes as one module or the other makes them."""
    dataclass, field = made_by.dataclass, made_by.field

    @dataclass(frozen=True)
    class Point:
        x: int
        y: int = 0
        tags: dict[str, int] = field(default_factory=dict)
        secret: str = field(default="", repr=False)
        note: str = field(default="", compare=False)
        last: bool = field(default=False, kw_only=True)

        @cached_property
        def total(self) -> int:
            return self.x + self.y

    @dataclass(frozen=True)
    class Named(Point):
        name: str = ""
        y: int = 7

    @dataclass
    class Mutable:
        items: list[Any] = field(default_factory=list)

        def __repr__(self) -> str:
            return "own"

    @dataclass(frozen=True, eq=False)
    class Identity:
        value: int

    @dataclass(frozen=True)
    class Spot:
        x: int
        y: int = field(default=0, compare=True)

    @dataclass(frozen=True)
    class Hashed:
        value: int

        def __hash__(self) -> int:
            return 5

    class Plain(Point):
        pass

    found = {name: kind for name, kind in locals().items() if isinstance(kind, type)}
    return SimpleNamespace(**found, replace=made_by.replace, asdict=made_by.asdict)


class TestValues(unittest.TestCase):
    """Both modules come to the same, wherever director relies on it."""

    def assert_alike(self, come_to: Any) -> None:
        ours, theirs = (self._come_to(come_to, by) for by in (values, dataclasses))
        self.assertEqual(ours, theirs)

    def _come_to(self, come_to: Any, by: Any) -> Any:
        try:
            return come_to(classes_of(by))
        except (TypeError, AttributeError) as error:
            kinds = (TypeError, AttributeError)
            said = str(error) if isinstance(error, TypeError) else ""
            return next(kind for kind in kinds if isinstance(error, kind)), said

    def test_what_an_instance_says_of_itself(self) -> None:
        self.assert_alike(lambda k: repr(k.Point(1, tags={"a": 1}, secret="s")).split("<locals>"))
        self.assert_alike(lambda k: repr(k.Named(1, name="n")).split("<locals>"))
        self.assert_alike(lambda k: repr(k.Mutable()))

    def test_positions_and_names(self) -> None:
        self.assert_alike(lambda k: k.asdict(k.Point(1, 2, {}, "s", "n", last=True)))
        self.assert_alike(lambda k: k.asdict(k.Named(1, 2, {}, "s", "n", "name")))
        self.assert_alike(lambda k: k.Point())
        self.assert_alike(lambda k: k.Point(1, 2, {}, "s", "n", True))
        self.assert_alike(lambda k: k.Point(1, unknown=2))
        self.assert_alike(lambda k: (k.Point.__match_args__, k.Named.__match_args__))

    def test_each_instance_has_a_default_of_its_own(self) -> None:
        self.assert_alike(lambda k: k.Mutable().items is k.Mutable().items)
        self.assert_alike(lambda k: k.Point(1).tags is k.Point(1).tags)

    def test_equality(self) -> None:
        self.assert_alike(lambda k: k.Point(1) == k.Point(1))
        self.assert_alike(lambda k: k.Point(1) == k.Point(2))
        self.assert_alike(lambda k: k.Point(1, note="a") == k.Point(1, note="b"))
        self.assert_alike(lambda k: k.Point(1) == k.Named(1))
        self.assert_alike(lambda k: k.Plain(1) == k.Plain(1))
        self.assert_alike(lambda k: k.Plain(1) == k.Point(1))
        self.assert_alike(lambda k: k.Mutable([1]) == k.Mutable([1]))
        self.assert_alike(lambda k: k.Identity(1) == k.Identity(1))
        self.assert_alike(lambda k: k.Point(1) == 1)

    def test_hashes(self) -> None:
        self.assert_alike(lambda k: hash(k.Point(1)))
        self.assert_alike(lambda k: hash(k.Mutable()))
        self.assert_alike(lambda k: len({k.Identity(1), k.Identity(1)}))
        self.assert_alike(lambda k: hash(k.Hashed(1)))
        self.assert_alike(lambda k: len({k.Spot(1), k.Spot(1), k.Spot(2), k.Spot(1, 3)}))
        self.assert_alike(lambda k: hash(k.Spot(1, 3)) == hash(k.Spot(1, 4)))

    def test_what_is_frozen_stays(self) -> None:
        self.assert_alike(lambda k: setattr(k.Point(1), "x", 2))
        self.assert_alike(lambda k: delattr(k.Point(1), "x"))
        self.assert_alike(lambda k: setattr(k.Mutable(), "items", [2]))
        self.assert_alike(lambda k: k.Point(1, 2).total)

    def test_copies_with_changes(self) -> None:
        self.assert_alike(lambda k: k.asdict(k.replace(k.Named(1, last=True), x=5, name="m")))
        self.assert_alike(lambda k: k.replace(k.Point(1), unknown=5))
        changed = dataclasses.replace(classes_of(values).Point(1), x=3)
        self.assertEqual(3, changed.x)

    def test_fields_as_a_dictionary_with_what_lies_in_them(self) -> None:
        def nested(k: Any) -> Any:
            inside = [k.Point(1), (k.Point(2),), Pair(k.Point(3)), {"a": k.Point(4)}]
            return k.asdict(k.Mutable(inside))

        self.assert_alike(nested)

    def test_fields_have_their_names_in_order(self) -> None:
        self.assert_alike(lambda k: list(k.Named.__dataclass_fields__))
        named = classes_of(values).Named
        self.assertEqual(list(named.__dataclass_fields__), [f.name for f in values.fields(named)])

    def test_nothing_is_compiled_before_the_first_instance(self) -> None:
        kinds = classes_of(values)
        before = kinds.Point.__init__
        kinds.Point(1)
        self.assertIsNot(before, kinds.Point.__init__)
        self.assertEqual("test_values", kinds.Point.__module__.rpartition(".")[2])
