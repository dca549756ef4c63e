"""Whether OpenCode knows the models of ``[tiers]``: found out before the first call is paid for.

OpenCode lists exactly the models that a call may name. What it lists is remembered: an earlier
listing vouches for a model, only a fresh one refuses it.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from director.agents.backend import WantedModel
from director.model.errors import DirectorError, RequestError
from director.model.patterns import lazy_pattern
from director.model.reason import Reason
from director.processes.command import Watch
from director.records.events import Events, Kind
from director.records.files import read_json, write_json

LISTED = lazy_pattern(r"[^\s/]+/\S+")
NOTHING: frozenset[str] = frozenset()

Ask = Callable[[Path | None, Watch], frozenset[str]]
"""Gives the models that OpenCode lists for a call in a worktree (None: for any, without what a
project adds), unless the watch ends it; none where it does not say."""


def models_in(listing: str) -> frozenset[str]:
    """Return the models of ``opencode models``; none where it holds anything but models."""
    lines = [line.strip() for line in listing.splitlines() if line.strip()]
    return frozenset(lines) if all(map(LISTED.fullmatch, lines)) else NOTHING


class Memory:
    """The last listing, in the file ``path``; it is valid for one OpenCode with these settings."""

    def __init__(self, path: Path, program: str, settings: Mapping[str, Any]) -> None:
        self._path = path
        state = Path(program).resolve().stat()
        text = json.dumps([program, state.st_mtime_ns, state.st_size, settings], sort_keys=True)
        self._key = hashlib.sha256(text.encode()).hexdigest()

    def recall(self) -> frozenset[str]:
        """Return what was listed; none where there is no listing yet."""
        with suppress(DirectorError):
            found = read_json(self._path) or {}
            if found.get("for") == self._key and isinstance(found.get("models"), list):
                return frozenset(map(str, found["models"]))
        return NOTHING

    def keep(self, listed: Collection[str]) -> None:
        """Remember what was listed, if anything."""
        if listed:
            write_json(self._path, {"for": self._key, "models": sorted(listed)}, durable=False)


class ModelCheck:
    """Asks OpenCode in the background, and refuses models that it does not know before a call.

    Callable from any thread.
    """

    def __init__(
        self, wanted: Collection[WantedModel], ask: Ask, memory: Memory, events: Events
    ) -> None:
        self._wanted = wanted
        self._ask = ask
        self._memory = memory
        self._events = events
        self._listed = NOTHING
        self._asking: threading.Thread | None = None
        self._lock = threading.Lock()
        self._over = False
        self._closed = False
        self._refusal: RequestError | None = None

    def begin(self) -> None:
        """Ask OpenCode in the background, unless it is known already."""
        self._listed = self._memory.recall()
        if self._missing(self._listed):
            self._asking = threading.Thread(target=self._ask_for_any, daemon=True)
            self._asking.start()

    def check(self, worktree: Path) -> None:
        """Wait for the answer; RequestError for a model that a call in ``worktree`` cannot name."""
        with self._lock:
            if not self._over:
                self._refusal = self._refused(worktree)
                self._over = True
        if self._refusal:
            raise self._refusal

    def close(self) -> None:
        """Stop asking: no call is going to be made."""
        self._closed = True
        self._await()

    def _await(self) -> None:
        if self._asking:
            self._asking.join()

    def _stop(self) -> str | None:
        return "no call is going to be made" if self._closed else None

    def _ask_for_any(self) -> None:
        with suppress(OSError, DirectorError):  # then nothing is listed
            self._listed = NOTHING
            self._listed = self._ask(None, self._stop)
            self._memory.keep(self._listed)

    def _refused(self, worktree: Path) -> RequestError | None:
        self._await()
        listed = self._listed
        if listed and self._missing(listed):
            listed = self._ask(worktree, self._stop)  # its own configuration may add models
            self._memory.keep(self._listed | listed)
        if not listed:
            return None  # OpenCode lists nothing
        self._tell_of_defined(listed)
        return _refusal(self._missing(listed), listed)

    def _tell_of_defined(self, listed: Collection[str]) -> None:
        for one in self._wanted:
            if one.defined and one.tier not in listed:
                named = _named(one.tier, [one], listed)
                message = f"OpenCode knows a model from [sampling] only: {named}"
                self._events.emit(Kind.NOTICE, message=message)

    def _missing(self, listed: Collection[str]) -> list[WantedModel]:
        return [one for one in self._wanted if not one.defined and one.tier not in listed]


def _refusal(missing: Collection[WantedModel], listed: Collection[str]) -> RequestError | None:
    if not missing:
        return None
    by_model: dict[str, list[WantedModel]] = {}
    for one in missing:
        by_model.setdefault(one.tier, []).append(one)
    named = [_named(model, places, listed) for model, places in by_model.items()]
    return RequestError(
        f"OpenCode does not know {', '.join(named)}",
        "correct [tiers] in the configuration; `opencode models` lists what OpenCode knows, and "
        "a provider only once it has its key",
        Reason.MODEL_UNKNOWN,
    )


def _named(model: str, named: Iterable[WantedModel], listed: Collection[str]) -> str:
    """Name an unlisted model, the places that name it, and the model that may be meant."""
    places = ", ".join(one.place for one in named)
    provider = model.partition("/")[0]
    from difflib import get_close_matches  # of a name that is wrong

    if guess := get_close_matches(model, listed, 1):
        return f"{model} ({places}; did you mean {guess[0]}?)"
    known = any(one.startswith(f"{provider}/") for one in listed)
    return f"{model} ({places})" if known else f"{model} ({places}; no model of {provider} at all)"
