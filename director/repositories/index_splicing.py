"""Putting a few entries into an index file without reading, or writing, all the others.

The file is cut into blocks of entries; only those that change are taken apart.
"""

import hashlib
import struct
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from director.repositories.index_files import (
    STATUS_LENGTH,
    WRITTEN_VERSION,
    IndexEntry,
    raw_entry,
)

PER_BLOCK = 64
NAME_LENGTH = 0x0FFF  # of the flags: a longer name says this
HEADER = struct.Struct(">4sLL")
FLAGS = struct.Struct(">H")


class Block(NamedTuple):
    """Some ``entries`` of an index file from ``start`` on; ``first`` is the first's path."""

    first: bytes
    start: int
    entries: int


class Blocks(NamedTuple):
    """The blocks of one index file, whose entries end at ``end``."""

    blocks: tuple[Block, ...]
    end: int


Raw = dict[bytes, bytes]
"""Path → entry, as it is in an index file."""


def blocks_of(data: bytes, object_format: str) -> Blocks:
    """Return the blocks of an index file; ValueError for one that cannot be spliced.

    That is one with entries that git marked, or with an extension that it cannot do without.
    """
    signature, version, count = HEADER.unpack_from(data)
    if signature != b"DIRC" or version != WRITTEN_VERSION:
        raise ValueError(f"an index of version {version} was not expected")
    digest_length = _digest_length(object_format)
    found, start = [], HEADER.size
    for at in range(0, count, PER_BLOCK):
        block = Block(b"", start, min(PER_BLOCK, count - at))
        inside = _entries(data, block, digest_length)
        found.append(block._replace(first=next(iter(inside))))
        start += sum(map(len, inside.values()))
    extension = data[start : start + 4]
    if len(data) - start > digest_length and not extension[:1].isupper():
        raise ValueError(f"the index has an extension {extension!r}")
    return Blocks(tuple(found), start)


def spliced(
    data: bytes, blocks: Blocks, changes: Mapping[bytes, IndexEntry | None], object_format: str
) -> tuple[bytes, Blocks]:
    """Return an index file with ``changes`` (path → entry, None: it is gone), and its blocks.

    ``blocks`` are those of ``data``. Extensions are left out.
    """
    old = blocks.blocks or (Block(b"", blocks.end, 0),)
    ends = [*(one.start for one in old[1:]), blocks.end]
    firsts = [one.first for one in old]
    touched: dict[int, dict[bytes, IndexEntry | None]] = {}
    for name, entry in changes.items():
        touched.setdefault(max(0, bisect_right(firsts, name) - 1), {})[name] = entry
    new, at, parts = [], HEADER.size, []
    for number, (block, end) in enumerate(zip(old, ends, strict=True)):
        kept = [(block.first, block.entries, data[block.start : end])]
        if number in touched:
            inside = _entries(data, block, _digest_length(object_format))
            kept = list(_cut(_changed(inside, touched[number])))
        for first, count, part in kept:
            new.append(Block(first, at, count))
            parts.append(part)
            at += len(part)
    header = HEADER.pack(b"DIRC", WRITTEN_VERSION, sum(one.entries for one in new))
    content = b"".join((header, *parts))
    checksum = hashlib.new(object_format, content, usedforsecurity=False).digest()
    return content + checksum, Blocks(tuple(new), at)


def _changed(inside: Raw, changes: Mapping[bytes, IndexEntry | None]) -> Raw:
    gone = {name: raw for name, raw in inside.items() if name not in changes}
    return gone | {name: raw_entry(entry) for name, entry in changes.items() if entry}


def _cut(entries: Raw) -> Iterator[tuple[bytes, int, bytes]]:
    """Give first path, count and bytes of each block that ``entries`` make.

    They are about as long as one another: where names are put in again and again at one place, a
    short one would be left behind each time.
    """
    names = sorted(entries)
    size = -(-len(names) // max(1, len(names) // PER_BLOCK))  # PER_BLOCK to twice as many
    for at in range(0, len(names), max(1, size)):
        part = names[at : at + size]
        yield part[0], len(part), b"".join(map(entries.__getitem__, part))


def _entries(data: bytes, block: Block, digest_length: int) -> Raw:
    """Return the entries of a block; ValueError where git marked one (conflict, skipped, …)."""
    found, start = {}, block.start
    for _ in range(block.entries):
        name_at = start + STATUS_LENGTH + digest_length + FLAGS.size
        (flags,) = FLAGS.unpack_from(data, name_at - FLAGS.size)
        if flags > NAME_LENGTH:
            raise ValueError("the index has a marked entry")
        end = name_at + flags if flags < NAME_LENGTH else data.index(b"\0", name_at)
        after = start + (end - start) // 8 * 8 + 8
        found[data[name_at:end]] = data[start:after]
        start = after
    return found


def _digest_length(object_format: str) -> int:
    return hashlib.new(object_format, usedforsecurity=False).digest_size
