"""What is wrong with a stored value: all of it at once, each with its place."""

from collections.abc import Iterable
from typing import NamedTuple

Path = tuple[str | int, ...]


class Mistake(NamedTuple):
    """One thing that is not as it must be: where, and a problem that can stand after the place."""

    path: Path
    problem: str

    def __str__(self) -> str:
        """Return both as one phrase."""
        return f"{dotted(self.path)} {self.problem}".strip()


class MismatchError(ValueError):
    """A value that is not what was to be read; ``mistakes`` holds all there are."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("; ".join(map(str, self.mistakes)))

    def below(self, key: str | int) -> list[Mistake]:
        """Return the mistakes as they are seen from the value that holds this one at ``key``."""
        return [Mistake((key, *path), problem) for path, problem in self.mistakes]


def mismatch(problem: str) -> MismatchError:
    """Return the error for a value with one problem."""
    return MismatchError([Mistake((), problem)])


def dotted(path: Path) -> str:
    """Return a path as people write it: ``nodes[3].files[0]``, ``pricing."p/m".input``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            plain = part.replace("_", "").replace("-", "").isalnum()
            text += ("." if text else "") + (part if plain else f'"{part}"')
    return text


def guess(name: str, known: Iterable[str]) -> str:
    """Return what ``name`` may have been meant to be: the nearest, or all that is known."""
    from difflib import get_close_matches  # takes a while to import, and mistakes are rare

    names = list(known)
    near = get_close_matches(name, names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names)}"


def not_known(key: str, known: Iterable[str], what: str = "a known key") -> Mistake:
    """Return the mistake of a key that there is not."""
    return Mistake((key,), f"is not {what} ({guess(key, known)})")
