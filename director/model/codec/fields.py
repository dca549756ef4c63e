"""The fields of a class of records, as its annotations have them."""

from collections.abc import Hashable
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin, get_type_hints

from director.model.codec.marks import Key, Mark


class Field(NamedTuple):
    """A field of a record: its name, its name where it is stored (``key``), what it holds.

    ``required``: it may not be missing. ``default`` is None where there is none.
    """

    name: str
    key: str
    hint: Any
    marks: tuple[Any, ...]
    required: bool
    default: Any

    @property
    def is_inline(self) -> bool:
        """Whether its own fields are stored in its place."""
        return Mark.INLINE in self.marks


@cache
def fields_of(kind: Hashable) -> tuple[Field, ...]:
    """Return the fields of a class (a NamedTuple or a dataclass), in their order."""
    return tuple(_fields(kind))


def _fields(kind: Any) -> list[Field]:
    if given := getattr(kind, "__dataclass_fields__", None):
        # Without a default and a default_factory both are the same: dataclasses.MISSING.
        optional = {
            n: one.default for n, one in given.items() if one.default is not one.default_factory
        }
    else:
        given, optional = kind._fields, kind._field_defaults
    hints = get_type_hints(kind, include_extras=True)
    found = []
    for name in given:
        hint, marks = without_marks(hints[name])
        key = next((mark.name for mark in marks if isinstance(mark, Key)), name)
        required = name not in optional or Mark.REQUIRED in marks
        found.append(Field(name, key, hint, marks, required, optional.get(name)))
    return found


def without_marks(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return the type in an annotation, and the marks on it."""
    return (hint.__origin__, hint.__metadata__) if get_origin(hint) is Annotated else (hint, ())


def without_none(hint: Any) -> Any | None:
    """Return what an annotation allows besides None; None where it does not allow that."""
    if get_origin(hint) not in (Union, UnionType):
        return None
    (other,) = (one for one in get_args(hint) if one is not NoneType)
    return other
