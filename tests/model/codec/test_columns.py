"""Many records at once come back as each of them does by itself."""

from __future__ import annotations

import math
import unittest
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, NamedTuple

from director.model.codec.columns import decode_all
from director.model.codec.decoding import decode
from director.model.codec.encoding import encode
from director.model.codec.marks import Key, Mark, between
from director.model.codec.mistakes import MismatchError
from director.model.failure import Failure
from director.model.plan import Node
from director.model.roles import Role, Tier
from director.model.state import Attempt, AttemptOutcome, CallRecord, NodeState, NodeStatus
from director.model.usage import Tokens
from tests.model.codec.test_decoding import Colour, Leaf


class Ruled(NamedTuple):
    least: int
    most: int

    def mistakes(self) -> Iterator[Any]:
        if self.least > self.most:
            raise MismatchError([])
        yield from ()


class Tree(NamedTuple):
    leaf: Leaf
    inner: Annotated[Tokens, Mark.INLINE]
    leaves: tuple[Leaf, ...] = ()
    words: Annotated[tuple[str, ...], Key("said")] = ()
    colour: Colour | None = None
    by_name: Mapping[str, Leaf] = {}
    anything: Any = None
    ratio: float = 0.5
    unbounded: Annotated[float | None, Mark.ANY_NUMBER] = None
    few: Annotated[int, between(0, 3)] = 1
    ruled: Ruled | None = None
    on: bool = False


WHOLE = {
    **{"leaf": {"name": "a", "number": 1}, **Tokens(1, 2, 3, 4, 5)._asdict()},
    **{"leaves": [{"name": "b"}, {"name": "c", "number": 2}], "said": ["x", "y"]},
    **{"colour": "red", "by_name": {"d": {"name": "d"}}, "anything": [1, {}], "ratio": 2},
    **{"unbounded": math.inf, "few": 2, "ruled": {"least": 1, "most": 2}, "on": True},
}
LEAST = {"leaf": {"name": "z"}, **Tokens()._asdict(), "of another version": 1}
ODD: tuple[Any, ...] = (
    *(None, True, 0, -1, 7, 1.5, math.nan, math.inf, 10**400, "", "red", "green", "x"),
    *([], [1], ["x"], [None], [{}], [{"name": "a"}], [{"name": 1}], [[]]),
    *({}, {"name": "a"}, {"name": 1}, {"d": {"name": 1}}, {"least": 1, "most": 2}),
)
ATTEMPT = Attempt(Role.EXECUTOR, AttemptOutcome.RED, 1, "p/m", "log", Failure("red", "c", 1))
STATES = (
    NodeState(),
    NodeState(NodeStatus.DONE, 2, Tier.EXECUTOR, "p/m", cost_usd=None, past_attempts=(ATTEMPT,)),
    NodeState(NodeStatus.FAILED, 1, failure=Failure("red"), repairs="gates", wall_secs=1.5),
)
CALL = CallRecord("t", "executor", "p/m", Tokens(1), 0.5, "priced", "n", 1, ok=True)


def alone(kind: Callable[..., Any], values: list[Any]) -> list[Any] | None:
    """Return what they are when each is decoded by itself; None: one of them cannot be."""
    try:
        return [decode(kind, value) for value in values]
    except MismatchError:
        return None


def together(kind: Callable[..., Any], values: list[Any]) -> list[Any] | None:
    try:
        return decode_all(kind, values)
    except MismatchError:
        return None


class TestColumns(unittest.TestCase):
    def test_records_come_back_in_their_order(self) -> None:
        values = [WHOLE, LEAST, WHOLE, {**WHOLE, "leaves": []}, LEAST]
        self.assertEqual(decode_all(Tree, values), [decode(Tree, one) for one in values])

    def test_each_value_of_each_field_counts_as_it_does_alone(self) -> None:
        for key in WHOLE:
            for odd in ODD:
                values = [WHOLE, {**WHOLE, key: odd}, LEAST]
                with self.subTest(key=key, value=repr(odd)[:20]):
                    expected = alone(Tree, values)
                    found = together(Tree, values)
                    if not (key == "ratio" and odd == 10**400):  # that one is left to be asked of
                        self.assertEqual(found is None, expected is None)
                    if found is not None:
                        self.assertEqual(repr(found), repr(expected))

    def test_what_is_missing_is_missed(self) -> None:
        for key in WHOLE:
            values = [WHOLE, {name: one for name, one in WHOLE.items() if name != key}]
            with self.subTest(key=key):
                self.assertEqual(together(Tree, values), alone(Tree, values))

    def test_what_is_no_object_is_no_record(self) -> None:
        for odd in ODD:
            if odd != {"name": "a"}:
                with self.subTest(value=repr(odd)[:20]), self.assertRaises(MismatchError):
                    decode_all(Leaf, [{"name": "a"}, odd])

    def test_none_at_all(self) -> None:
        self.assertEqual(decode_all(Tree, []), [])

    def test_the_records_of_jobs(self) -> None:
        self.assertEqual(decode_all(NodeState, [encode(one) for one in STATES]), [*STATES])
        self.assertEqual(
            decode_all(NodeState, [{}, {"attempts": 3}]), [NodeState(), NodeState(attempts=3)]
        )
        self.assertEqual(decode_all(CallRecord, [encode(CALL)] * 2), [CALL, CALL])
        node: dict[str, Any] = {
            "id": "a",
            "title": "A",
            "spec": "s",
            "files": ["a.py"],
            "depends_on": [],
        }
        node |= {"test_cmd": "true", "tests": ["t.py"], "test_hashes": {"t.py": "0" * 64}}
        self.assertEqual(together(Node, [node]), alone(Node, [node]))


if __name__ == "__main__":
    unittest.main()
