"""Index files: what git knows of the files of a worktree (gitformat-index(5)), read and written."""

import hashlib
import os
import struct
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from operator import attrgetter
from typing import NamedTuple

from director.repositories.objects import Item

READABLE_VERSIONS = (2, 3)  # 4 compresses names
WRITTEN_VERSION = 2
EXTENDED = 0x4000
STATUS = struct.Struct(">10L")  # of an entry, before its object id; the mode is among it
STATUS_LENGTH = STATUS.size
NS = 10**9  # of a second


class IndexEntry(NamedTuple):
    """An entry of an index file.

    ``known`` is what the index knows of the file at ``path``: its status, with the mode in it, and
    the object id.
    """

    path: bytes
    known: bytes

    @property
    def numbers(self) -> tuple[int, ...]:
        """The status, cut to 32 bits: ctime and mtime (seconds and nanoseconds), device, inode,
        mode, user, group, size.
        """
        return STATUS.unpack_from(self.known)

    @property
    def mode(self) -> int:
        """Git's mode."""
        return self.numbers[6]

    @property
    def size(self) -> int:
        """The size of the file in bytes, as far as it fits into 32 bits."""
        return self.numbers[9]

    @property
    def item(self) -> Item:
        """The mode and the object id."""
        return Item(f"{self.mode:06o}", self.known[STATUS_LENGTH:].hex())

    def knowing(self, status: os.stat_result | None) -> "IndexEntry":
        """Return the same for a file that has this status; None: git is to look what it holds."""
        if status is None:
            return unknown_entry(self.path, self.item)
        times = (part for ns in (status.st_ctime_ns, status.st_mtime_ns) for part in divmod(ns, NS))
        place, owner = (status.st_dev, status.st_ino), (status.st_uid, status.st_gid)
        numbers = (*times, *place, self.mode, *owner, status.st_size)
        known = STATUS.pack(*(number & 0xFFFFFFFF for number in numbers))
        return IndexEntry(self.path, known + self.known[STATUS_LENGTH:])


def entry_count(data: bytes) -> int:
    """Return how many entries an index file has."""
    return int.from_bytes(data[8:12], "big")


def index_entries(data: bytes, object_format: str) -> Iterator[IndexEntry]:
    """Give the entries of an index file; ValueError for one that is not read here."""
    signature, version = struct.unpack(">4sL", data[:8]) if len(data) > 8 else (b"", 0)
    if signature != b"DIRC" or version not in READABLE_VERSIONS:
        raise ValueError(f"an index of version {version} was not expected")
    digest_length = hashlib.new(object_format, usedforsecurity=False).digest_size
    start = 12
    for _ in range(entry_count(data)):
        flags_at = start + STATUS_LENGTH + digest_length
        (flags,) = struct.unpack(">H", data[flags_at : flags_at + 2])
        name_at = flags_at + (4 if flags & EXTENDED else 2)
        name = data[name_at : data.index(b"\0", name_at)]
        yield IndexEntry(name, data[start:flags_at])
        start += (name_at + len(name) - start) // 8 * 8 + 8


def index_data(items: Mapping[str, Item], object_format: str) -> bytes:
    """Return an index file (version 2) that knows nothing of the files."""
    return index_file(_all_unknown(items), object_format)


def index_items(data: bytes, object_format: str) -> dict[str, Item]:
    """Return path → item of an index file."""
    return {
        entry.path.decode(errors="surrogateescape"): entry.item
        for entry in index_entries(data, object_format)
    }


def split_index(
    data: bytes, folders: Iterable[str], links: Mapping[str, Item], object_format: str
) -> dict[str, bytes]:
    """Return folder → the index of what is in it, "" → that of the rest.

    For an index in which ``folders`` are repositories of their own. What it knows of
    the files is kept. ``links`` are put in, each into the part that it lies in.
    """
    parts: dict[bytes, list[IndexEntry]] = {b"": []}
    parts |= {folder.encode(errors="surrogateescape"): [] for folder in folders}

    @cache
    def owner(folder: bytes) -> bytes:
        return folder if folder in parts else owner(folder.rpartition(b"/")[0])

    for one in (*index_entries(data, object_format), *_all_unknown(links)):
        part = owner(one.path.rpartition(b"/")[0])
        inner = one.path[len(part) + 1 :] if part else one.path
        parts[part].append(IndexEntry(inner, one.known))
    return {
        part.decode(errors="surrogateescape"): index_file(inside, object_format)
        for part, inside in parts.items()
    }


def _all_unknown(items: Mapping[str, Item]) -> Iterator[IndexEntry]:
    for path, item in items.items():
        yield unknown_entry(path.encode(errors="surrogateescape"), item)


def unknown_entry(path: bytes, item: Item) -> IndexEntry:
    """Return the entry of an index that knows nothing of the file."""
    known = struct.pack(">24xL12x", int(item.mode, 8)) + bytes.fromhex(item.oid)
    return IndexEntry(path, known)


def index_file(entries: Iterable[IndexEntry], object_format: str) -> bytes:
    """Return an index file (version 2) with these entries."""
    found = sorted(entries, key=attrgetter("path"))
    parts = [b"DIRC" + struct.pack(">LL", WRITTEN_VERSION, len(found))]
    data = b"".join((*parts, *map(raw_entry, found)))
    return data + hashlib.new(object_format, data, usedforsecurity=False).digest()


def raw_entry(one: IndexEntry) -> bytes:
    """Return an entry as it is in an index file (version 2)."""
    entry = one.known + struct.pack(">H", min(len(one.path), 0xFFF)) + one.path
    return entry + b"\0" * (8 - len(entry) % 8)
