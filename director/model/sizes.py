"""The size of a checkout in files and bytes, and from which size on it takes a while."""

from collections.abc import Iterable
from typing import NamedTuple

BLOCK_BYTES = 4096  # what most file systems give out at once
LARGE_FILES = 5_000  # a checkout of fewer takes a fraction of a second
LARGE_BYTES = 100 * 2**20
SHARED_FILE_BYTES = 2048  # measured: 0.8 kB with XFS, 2 kB with btrfs, where small files are copied


class Size(NamedTuple):
    """How many files there are, and how many bytes of disk they take."""

    files: int
    bytes: int

    @classmethod
    def of(cls, lengths: Iterable[int]) -> "Size":
        """Return the size of files of these lengths."""
        blocks = [-(-length // BLOCK_BYTES) for length in lengths]
        return cls(len(blocks), sum(blocks) * BLOCK_BYTES)

    @property
    def is_large(self) -> bool:
        """Whether a checkout of that takes a while."""
        return self.files >= LARGE_FILES or self.bytes >= LARGE_BYTES

    @property
    def shared_bytes(self) -> int:
        """Roughly what a copy takes that shares its blocks (reflink): the metadata of its files."""
        return min(self.bytes, self.files * SHARED_FILE_BYTES)
