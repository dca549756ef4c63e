"""Whether the files of a commit lie in a worktree byte by byte as they are stored.

Filters, line ends and encodings (gitattributes(5)) are git's: where one may play a part, git is
asked. Where none can, reading or writing a file needs no process.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from enum import IntEnum
from pathlib import Path

from director.model.patterns import lazy_pattern
from director.repositories.git_settings import FrozenSettings
from director.repositories.history import History
from director.repositories.objects import GITLINK_MODE, LINK_MODE, Item

ATTRIBUTES = ".gitattributes"
OFF = ("", "false", "no", "off", "0")
USUAL_ENDS = ("lf", "native")
# Attributes that change no byte of a file without a carriage return in it, on a system whose lines
# end in "\n". All others (filter, ident, working-tree-encoding, macros, …) are git's.
LINE_ENDS = (b"text", b"eol", b"crlf")
HARMLESS_VALUES = (b"text=auto", b"eol=lf", b"crlf=input")
HARMLESS = (
    b"binary",
    b"delta",
    b"diff",
    b"export-ignore",
    b"export-subst",
    b"merge",
    b"whitespace",
)
HARMLESS_PREFIXES = (b"linguist-", b"gitlab-")
WORD = lazy_pattern(rb"[^ \t\r]+")


class Conversion(IntEnum):
    """What git may do to the content of files when it writes or reads them."""

    NONE = 0
    LINE_ENDS = 1  # when it reads a file with a carriage return in it
    ANY = 2

    def leaves(self, content: bytes) -> bool:
        """Whether ``content`` is stored, and written, as it is."""
        return self is Conversion.NONE or (self is Conversion.LINE_ENDS and b"\r" not in content)


class ConversionCache:
    """What is known of the conversions of one job: tree of a folder → what its own file says."""

    def __init__(self) -> None:
        self.folders: dict[str, Conversion] = {}
        self.everywhere: Conversion | None = None


class Conversions:
    """The conversions of files of ``job``, whose user has these ``settings`` (None: not known).

    ``own_attributes`` is what ``info/attributes`` of the repository holds.
    """

    def __init__(
        self,
        job: History,
        settings: FrozenSettings | None,
        own_attributes: bytes,
        cache: ConversionCache,
    ) -> None:
        self.job = job
        self.settings = settings
        self.own_attributes = own_attributes
        self.cache = cache

    def of(self, tree: str) -> Conversion:
        """Return what may be done to files of ``tree``, or of a commit."""
        if self.cache.everywhere is None:
            self.cache.everywhere = self._everywhere()
        everywhere = self.cache.everywhere
        if everywhere is Conversion.ANY:
            return Conversion.ANY
        folders = (one.oid for one in self.job.folders(tree) if one.mode != GITLINK_MODE)
        return max(everywhere, *map(self._of_folder, (self.job.tree(tree), *folders)))

    def _of_folder(self, tree: str) -> Conversion:
        if tree not in self.cache.folders:
            item = self.job.trees.of(tree).get(ATTRIBUTES)
            self.cache.folders[tree] = self._by(item)
        return self.cache.folders[tree]

    def _by(self, item: Item | None) -> Conversion:
        if item is None or item.is_tree:
            return Conversion.NONE
        if item.mode in (LINK_MODE, GITLINK_MODE):
            return Conversion.ANY
        return conversion_by(self.job.objects.get(item.oid).data)

    def _everywhere(self) -> Conversion:
        """What the user's settings may do to any file."""
        if self.settings is None or not sys.platform.startswith("linux"):
            return Conversion.ANY
        said = self.settings.everywhere
        if said.get("core.autocrlf", "").lower() not in OFF:
            return Conversion.ANY
        if said.get("core.eol", "native").lower() not in USUAL_ENDS:
            return Conversion.ANY
        contents = (self.settings.attributes, self.own_attributes, *self._of_system())
        return max(map(conversion_by, contents))

    def _of_system(self) -> Iterable[bytes]:
        """Give the content of the attributes file for all users of the system."""
        programs = Path(self.job.git.text("--exec-path"))  # PREFIX/lib(exec)/git-core
        for prefix in dict.fromkeys((Path("/"), *programs.parents[1:2])):
            path = prefix / "etc" / "gitattributes"
            yield path.read_bytes() if os.path.lexists(path) else b""


def conversion_by(attributes: bytes) -> Conversion:
    """Return what an attributes file (its content) may make git do."""
    lines = (WORD.findall(line) for line in attributes.split(b"\n"))
    found = [words for words in lines if words and not words[0].startswith(b"#")]
    if not found:
        return Conversion.NONE
    plain = all(_is_plain(words) for words in found)
    return Conversion.LINE_ENDS if plain else Conversion.ANY


def _is_plain(words: list[bytes]) -> bool:
    """Whether a line has a simple pattern, and attributes that change no content."""
    return words[0][:1] not in b'"[' and all(map(_is_harmless, words[1:]))


def _is_harmless(word: bytes) -> bool:
    name, _, value = word.lstrip(b"-!").partition(b"=")
    if name in LINE_ENDS:
        return not value or word in HARMLESS_VALUES
    return name in HARMLESS or name.startswith(HARMLESS_PREFIXES)
