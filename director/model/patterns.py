"""Regular expressions that are compiled at their first use, not when their module is imported.

A command uses few of the two hundred that its modules have. To type checkers ``lazy_pattern`` is
`re.compile`, and what it returns does what a pattern does.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any


class _LazyPattern:
    """A pattern; what was asked of it once is found on it from then on, at no further cost."""

    def __init__(self, source: Any, flags: int | re.RegexFlag = 0) -> None:
        self._source = source
        self._flags = flags

    @cached_property
    def _compiled(self) -> Any:
        return re.compile(self._source, self._flags)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._compiled, name)
        setattr(self, name, found)
        return found


if TYPE_CHECKING:
    lazy_pattern = re.compile
else:
    lazy_pattern = _LazyPattern
