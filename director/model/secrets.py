"""Secrets: which variables look like keys, and texts without their values."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

LEAST_CHARACTERS = 8
LEAST_LINE_CHARACTERS = 16  # of one line of a value that has several
NESTING = 3  # JSON in JSON: how often a value may have been escaped
SECRET_WORDS = (
    "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "CREDENTIAL", "APIKEY",
)  # fmt: skip
SECRET_ENDS = ("TOKEN", "_CONFIG_CONTENT", "_PASS", "_PWD", "_PAT", "_AUTH")
SECRET_PARTS = frozenset({"KEY", "KEYS", "TOKEN"})
COMMON_VALUES = frozenset({
    "anonymous", "changeme", "change-me", "director", "disabled", "escalation", "executor",
    "explorer", "lm-studio", "localhost", "not-needed", "optional", "password", "placeholder",
    "postgres", "postgresql", "required", "reviewer", "test-author", "test_author", "undefined",
    "unlimited", "username",
})  # fmt: skip
"""Values too ordinary to be replaced wherever they stand, words of the records among them."""


def looks_secret(name: str) -> bool:
    """Whether a variable (or a setting such as ``apiKey``) of this name is likely to be a key."""
    words = name.upper()
    if words != name:
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper()
    return (
        any(word in words for word in SECRET_WORDS)
        or words.endswith(SECRET_ENDS)
        or not SECRET_PARTS.isdisjoint(words.split("_"))
    )


def secrets_in(
    env: Mapping[str, str], is_place: Callable[[str], bool], names: Iterable[str] = ()
) -> dict[str, str]:
    """Return name → value of the variables that look like keys, and of those in ``names``.

    A value that ``is_place`` finds on disk is where a key lies, not the key.
    """
    wanted = set(names)
    return {
        name: value
        for name, value in env.items()
        if (name in wanted or looks_secret(name)) and not is_place(value)
    }


def literal_secrets(settings: Mapping[str, Any], path: str = "") -> dict[str, str]:
    """Return place → value of the keys that stand in nested settings as they are.

    References such as ``{env:NAME}`` are no values.
    """
    found: dict[str, str] = {}
    for key, value in settings.items():
        place = f"{path}.{key}" if path else key
        if isinstance(value, dict):
            found |= literal_secrets(value, place)
        elif isinstance(value, str) and looks_secret(key) and not value.startswith("{"):
            found[place] = value
    return found


def referenced_variables(text: str) -> list[str]:
    """Return the names that ``text`` refers to as ``{env:NAME}``."""
    return re.findall(r"\{env:([^}]+)\}", text)


class Redactor:
    """Puts ``[redacted NAME]`` where the value of a secret stands, escaped forms included."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._secrets = dict(secrets)
        self._marks: dict[str, str] = {}
        for name in sorted(self._secrets):
            mark = f"[redacted {re.sub(r'[^A-Za-z0-9_.]', '_', name)}]"
            for form in _forms(self._secrets[name]):
                self._marks.setdefault(form, mark)
        self._data_marks = {_encoded(form): _encoded(m) for form, m in self._marks.items()}
        longest_first = sorted(self._marks, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first)))
        self._data_pattern = re.compile(b"|".join(re.escape(_encoded(f)) for f in longest_first))

    @property
    def idle(self) -> bool:
        """Whether there is nothing to replace."""
        return not self._marks

    def also(self, secrets: Mapping[str, str]) -> Redactor:
        """Return a redactor that knows ``secrets`` too."""
        return Redactor({**secrets, **self._secrets})

    def text(self, text: str) -> str:
        """Return ``text`` without secrets."""
        if not any(form in text for form in self._marks):
            return text
        return self._pattern.sub(lambda match: self._marks[match[0]], text)

    def data(self, data: bytes) -> bytes:
        """Return ``data``, text in UTF-8 for the most part, without secrets."""
        if not any(form in data for form in self._data_marks):
            return data
        return self._data_pattern.sub(lambda match: self._data_marks[match[0]], data)

    def value(self, value: Any) -> Any:
        """Return a JSON value without secrets, whatever it is made of."""
        if not self._marks:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.value(key): self.value(one) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(one) for one in value]
        return value


NOTHING_SECRET = Redactor({})


def counts(value: str) -> bool:
    """Whether a value is long and rare enough to be replaced wherever it stands."""
    ordinary = value.isdecimal() and len(value) < 2 * LEAST_CHARACTERS
    return (
        len(value) >= LEAST_CHARACTERS
        and len(set(value)) > 2
        and value.lower() not in COMMON_VALUES
        and not ordinary
    )


def _forms(value: str) -> Iterator[str]:
    """Give the ways in which a value may be spelled, or nothing for one that does not count."""
    plain = value.strip()
    if not counts(plain):
        return
    yield from _escaped(plain)
    lines = [line.strip() for line in plain.splitlines()]
    for line in lines if len(lines) > 1 else ():  # a key file is often shown line by line
        if len(line) >= LEAST_LINE_CHARACTERS and not line.startswith("-----"):
            yield from _escaped(line)


def _escaped(value: str) -> Iterator[str]:
    from urllib.parse import quote  # slow to import, and most often there is no secret

    yield value
    yield repr(value)[1:-1]
    yield quote(value, safe="", errors="surrogateescape")
    for ascii_only in (False, True):
        form = value
        for _ in range(NESTING):
            form = json.dumps(form, ensure_ascii=ascii_only)[1:-1]
            yield form


def _encoded(text: str) -> bytes:
    return text.encode(errors="surrogateescape")
