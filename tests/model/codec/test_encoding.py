"""Records are stored as their classes say, and come back as they were."""

from __future__ import annotations

import json
import unittest
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

from director.model.codec.decoding import decode
from director.model.codec.encoding import encode
from director.model.codec.marks import Key, Mark


class Size(StrEnum):
    BIG = "big"


class Part(NamedTuple):
    a: int = 1
    b: Annotated[str, Mark.OMITTED] = ""
    c: Annotated[tuple[str, ...], Mark.OMITTED, Key("see")] = ()


@dataclass(frozen=True)
class Whole:
    part: Part
    parts: tuple[Part, ...] = ()
    between: Annotated[Part, Mark.INLINE] = field(default_factory=Part)
    named: Mapping[str, Part] = field(default_factory=dict)
    renamed: Annotated[tuple[str, ...], Key("other")] = ()
    size: Size | None = None
    maybe: Part | None = None
    anything: Any = None


class TestEncoding(unittest.TestCase):
    def test_fields_stand_in_the_order_of_the_class(self) -> None:
        stored = encode(
            Whole(Part(2, "x", ("z",)), (Part(),), Part(3, "y"), {"k": Part()}, ("r",), Size.BIG)
        )
        expected = {
            "part": {"a": 2, "b": "x", "see": ["z"]},
            "parts": [{"a": 1}],
            "a": 3,
            "b": "y",
            "named": {"k": {"a": 1}},
            "other": ["r"],
            "size": "big",
            "maybe": None,
            "anything": None,
        }
        self.assertEqual(json.dumps(stored), json.dumps(expected))
        self.assertEqual(stored, expected)

    def test_what_comes_back_is_what_was_there(self) -> None:
        for whole in (
            Whole(Part()),
            Whole(
                Part(2),
                (Part(), Part(1, "x")),
                Part(),
                {"k": Part(4)},
                ("a", "b"),
                Size.BIG,
                Part(),
            ),
        ):
            self.assertEqual(decode(Whole, json.loads(json.dumps(encode(whole)))), whole)

    def test_what_is_stored_is_not_what_the_record_holds(self) -> None:
        whole = Whole(Part(), named={"k": Part()})
        encode(whole)["named"]["k"] = "changed"
        self.assertEqual(whole.named, {"k": Part()})
