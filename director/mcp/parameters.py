"""What a tool can be told: as JSON Schema, as a check of what a client sends, as flags."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from director.mcp.protocol import Code, Object, ProtocolError

NAME = r"^[A-Za-z0-9_][A-Za-z0-9_.:/-]*$"
"""The ids of nodes and jobs: no beginning of one can be taken for a flag."""

LONGEST_NAME = 200
LONGEST_TEXT = 200_000  # characters
LONGEST_WORD = 10_000
MOST_VALUES = 1_000
MOST_LANES = 1_000


class Parameter(NamedTuple):
    """An argument of a tool.

    ``flag`` says it on the command line: with its value, once for each where there are several;
    "" where it is said in another way. ``schema`` is its JSON Schema, of which `type`, `enum`,
    `minimum`, `maximum`, `minLength`, `maxLength`, `pattern`, `items` and `anyOf` are known.
    """

    name: str
    flag: str
    schema: Mapping[str, Any]
    required: bool = False


def switch(name: str, meaning: str, *, flag: str = "") -> Parameter:
    """Return a parameter for a flag without value, called as the parameter unless named."""
    said = flag or f"--{name.replace('_', '-')}"
    return Parameter(name, said, {"type": "boolean", "description": meaning})


def name_of(what: str, meaning: str, *, flag: str = "", required: bool = False) -> Parameter:
    """Return a parameter for the id of something."""
    schema = {"type": "string", "pattern": NAME, "maxLength": LONGEST_NAME, "description": meaning}
    return Parameter(what, flag, schema, required)


def text(name: str, meaning: str, *, required: bool = False) -> Parameter:
    """Return a parameter for a long text, which goes to standard input."""
    schema = {"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT, "description": meaning}
    return Parameter(name, "", schema, required)


def number(name: str, meaning: str, most: int) -> Parameter:
    """Return a parameter for a whole number of 1 or more."""
    flag = f"--{name.replace('_', '-')}"
    schema = {"type": "integer", "minimum": 1, "maximum": most, "description": meaning}
    return Parameter(name, flag, schema)


def several(name: str, flag: str, item: Mapping[str, Any], meaning: str) -> Parameter:
    """Return a parameter for a flag that may be given several times."""
    schema = {"type": "array", "items": item, "maxItems": MOST_VALUES, "description": meaning}
    return Parameter(name, flag, schema)


def choice(name: str, values: Sequence[str], meaning: str, *, required: bool = False) -> Parameter:
    """Return a parameter for one of several words, each of which is a flag."""
    schema = {"type": "string", "enum": list(values), "description": meaning}
    return Parameter(name, "", schema, required)


PARALLEL = Parameter(
    "parallel",
    "--parallel",
    {
        "anyOf": [
            {"type": "integer", "minimum": 1, "maximum": MOST_LANES},
            {"type": "string", "enum": ["auto"]},
        ],
        "description": "lanes: how much to do at once, or auto (default: 1)",
    },
)
BROKEN_GATES = switch(
    "allow_broken_gates", "continue where [gates] cannot run on the base commit, or in a worktree"
)
NODE = name_of("node", "a node, by its id or the beginning of it", required=True)
JOB = name_of("job", "another job than the current one, by its id", flag="--job")


def input_schema(parameters: Sequence[Parameter]) -> Object:
    """Return the JSON Schema of a tool's arguments."""
    schema: Object = {
        "type": "object",
        "properties": {one.name: dict(one.schema) for one in parameters},
        "additionalProperties": False,
    }
    if required := [one.name for one in parameters if one.required]:
        schema["required"] = required
    return schema


def checked(parameters: Sequence[Parameter], given: object) -> Object:
    """Return the arguments of a call without those that are null; ProtocolError names a problem."""
    if not isinstance(given, dict):
        raise _invalid('"arguments" must be an object')
    known = {one.name: one for one in parameters}
    values = {name: value for name, value in given.items() if value is not None}
    if strange := sorted(str(name)[:100] for name in values.keys() - known.keys()):
        raise _invalid(f"unknown: {', '.join(strange)}; known: {', '.join(known) or 'none'}")
    if missing := [one.name for one in parameters if one.required and one.name not in values]:
        raise _invalid(f"missing: {', '.join(missing)}")
    for name, value in values.items():
        if problem := next(_problems(known[name].schema, value), ""):
            raise _invalid(f"{name} {problem}")
    return values


def _invalid(problem: str) -> ProtocolError:
    return ProtocolError(Code.INVALID_PARAMS, f"invalid arguments: {problem}")


def _problems(schema: Mapping[str, Any], value: object) -> Iterator[str]:
    """Give what is wrong with a value, the most important first."""
    if "anyOf" in schema:
        if all(next(_problems(one, value), "") for one in schema["anyOf"]):
            yield f"must be {' or '.join(map(_words, schema['anyOf']))}"
        return
    if not _has_type(schema["type"], value) or value not in schema.get("enum", [value]):
        yield f"must be {_words(schema)}"
    elif isinstance(value, str):
        yield from _problems_of_text(schema, value)
    elif isinstance(value, list):
        if len(value) > schema["maxItems"]:
            yield f"has more than {schema['maxItems']} values"
        for one in value:
            yield from _problems(schema["items"], one)
    elif not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield f"must be from {schema['minimum']} to {schema['maximum']}"


def _problems_of_text(schema: Mapping[str, Any], value: str) -> Iterator[str]:
    if len(value) > schema.get("maxLength", len(value)):
        yield f"is longer than {schema['maxLength']} characters"
    if "minLength" in schema and not value.strip():
        yield "is empty"
    if "\0" in value:
        yield "holds a NUL character"
    if "pattern" in schema and not re.search(schema["pattern"].replace("$", r"\Z"), value):
        yield f"does not match {schema['pattern']}"


def _has_type(name: str, value: object) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, {"string": str, "integer": int, "array": list}.get(name, ()))


def _words(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return f"one of {', '.join(schema['enum'])}"
    article = "an" if schema["type"][0] in "aio" else "a"
    return f"{article} {schema['type']}"


def flags(parameters: Sequence[Parameter], values: Mapping[str, Any]) -> list[str]:
    """Return the flags that say ``values``; each holds its value, so none is taken for another."""
    found = []
    for one in parameters:
        value = values.get(one.name)
        if not one.flag or value is None or value is False:
            continue
        if value is True:
            found.append(one.flag)
        else:
            each = value if isinstance(value, list) else [value]
            found += [f"{one.flag}={part}" for part in each]
    return found
