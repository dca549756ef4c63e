"""Dataclasses whose methods are made when they are used, not when their module is imported.

The standard library's decorator compiles half a dozen functions for each class. With as many
classes as `director run` imports that is a third of its start. To type checkers these are the
standard library's own, and they do what those do, as far as director uses them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any

FIELDS = "__dataclass_fields__"
MATCHED = "__match_args__"
MISSING: Any = object()


class Field:
    """What a class says of one of its fields."""

    __slots__ = ("compare", "default", "default_factory", "kw_only", "name", "repr")
    init, _field_type = True, None  # what `dataclasses.replace` looks at, which works here, too

    def __init__(
        self,
        *,
        default: Any = MISSING,
        default_factory: Any = MISSING,
        repr: bool = True,
        compare: bool = True,
        kw_only: bool = False,
    ) -> None:
        self.name = ""
        self.default = default
        self.default_factory = default_factory
        self.repr = repr
        self.compare = compare
        self.kw_only = kw_only


def _dataclass(kind: Any = None, /, *, frozen: bool = False, eq: bool = True) -> Any:
    """Decorate a class: its annotations are its fields."""
    if kind is None:
        return lambda given: _made(given, frozen=frozen, eq=eq)
    return _made(kind, frozen=frozen, eq=eq)


def _made(kind: Any, *, frozen: bool, eq: bool) -> Any:
    fields = _fields(kind)
    setattr(kind, FIELDS, fields)
    setattr(kind, MATCHED, tuple(n for n, one in fields.items() if not one.kw_only))
    kind.__init__ = _initially(kind, frozen=frozen)
    own = kind.__dict__
    if "__repr__" not in own:
        kind.__repr__ = _repr
    if frozen:
        kind.__setattr__, kind.__delattr__ = _refuse, _refuse
    if eq:
        if "__eq__" not in own:
            kind.__eq__ = _equals
        if own.get("__hash__") is None:  # Python puts None where a class has its own __eq__
            kind.__hash__ = _hash if frozen else None
    return kind


def _fields(kind: Any) -> dict[str, Field]:
    """Return the fields of a class, those of its bases first."""
    fields: dict[str, Field] = {}
    for base in reversed(kind.__mro__[1:]):
        fields |= getattr(base, FIELDS, {})
    for name in kind.__annotations__:
        given = kind.__dict__.get(name, MISSING)
        one = given if isinstance(given, Field) else Field(default=given)
        one.name = name
        if one.default is not MISSING:
            setattr(kind, name, one.default)
        elif given is one:
            delattr(kind, name)
        fields[name] = one
    return fields


def _initially(kind: Any, *, frozen: bool) -> Callable[..., None]:
    """Return an ``__init__`` that the first instance replaces by the real one."""

    def initially(self: Any, *args: Any, **values: Any) -> None:
        kind.__init__ = _initializer(kind, frozen=frozen)
        kind.__init__(self, *args, **values)

    return initially


def _initializer(kind: Any, *, frozen: bool) -> Callable[..., None]:
    """Return the ``__init__`` of a class, compiled."""
    fields = getattr(kind, FIELDS)
    known: dict[str, Any] = {"_missing": MISSING, "_set": object.__setattr__}
    positional: list[str] = ["self"]
    named: list[str] = []
    body: list[str] = []
    for name, one in fields.items():
        parameter, value = name, name
        if one.default is not MISSING:
            known[f"_{name}_"] = one.default
            parameter = f"{name}=_{name}_"
        elif one.default_factory is not MISSING:
            known[f"_{name}_"] = one.default_factory
            parameter = f"{name}=_missing"
            value = f"_{name}_() if {name} is _missing else {name}"
        (named if one.kw_only else positional).append(parameter)
        body.append(f"_set(self, {name!r}, {value})" if frozen else f"self.{name} = {value}")
    head = ", ".join((*positional, *(("*", *named) if named else ())))
    source = f"def __init__({head}):\n " + "\n ".join(body or ["pass"])
    exec(source, known)
    made: Callable[..., None] = known["__init__"]
    made.__qualname__ = f"{kind.__qualname__}.__init__"
    return made


@cache
def _compared(kind: Any) -> Callable[[Any], Any]:
    """Return what takes the values that count out of an instance: a tuple, or the only one."""
    names = [name for name, one in getattr(kind, FIELDS).items() if one.compare]
    return attrgetter(*names) if names else lambda _value: ()


def _equals(self: Any, other: Any) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    values_of = _compared(self.__class__)
    return values_of(self) == values_of(other)


def _hash(self: Any) -> int:
    return hash(_compared(self.__class__)(self))


def _repr(self: Any) -> str:
    shown = (name for name, one in getattr(self, FIELDS).items() if one.repr)
    values = ", ".join(f"{name}={getattr(self, name)!r}" for name in shown)
    return f"{self.__class__.__qualname__}({values})"


def _refuse(self: Any, name: str, _value: object = None) -> None:
    raise AttributeError(f"{name} of {self.__class__.__name__} cannot be changed")


def _field(**said: Any) -> Any:
    """Say more of a field than its annotation does."""
    return Field(**said)


def _replace(value: Any, /, **changes: Any) -> Any:
    """Return a copy of ``value`` with ``changes`` to its fields."""
    kept = {name: getattr(value, name) for name in getattr(value, FIELDS) if name not in changes}
    return value.__class__(**kept, **changes)


def _asdict(value: Any) -> dict[str, Any]:
    """Return the fields of ``value``; values in them are given by their fields, too."""
    return {name: _plain(getattr(value, name)) for name in getattr(value, FIELDS)}


def _plain(value: Any) -> Any:
    if hasattr(value, FIELDS):
        return _asdict(value)
    if isinstance(value, (list, tuple)):
        plain = map(_plain, value)
        return type(value)(*plain) if hasattr(value, "_fields") else type(value)(plain)
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return value


def _all_fields(kind: Any) -> tuple[Any, ...]:
    return tuple(getattr(kind, FIELDS).values())


if TYPE_CHECKING:
    from dataclasses import asdict as asdict
    from dataclasses import dataclass as dataclass
    from dataclasses import field as field
    from dataclasses import fields as fields
    from dataclasses import replace as replace
else:
    dataclass, field, fields = _dataclass, _field, _all_fields
    replace, asdict = _replace, _asdict
