"""What Claude Code's events (stream-json) say, as a transcript.

With partial messages every request shows its tokens while it runs: ``message_start`` tells what
the model reads, each ``message_delta`` what it has written so far. The sums in the ``result`` at
the end leave out requests that were cut, but have those that show no events: per kind, the larger
count is the true one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from director.model.usage import Tokens

SYNTHETIC = "<synthetic>"  # the model of messages that Claude Code wrote itself
EXIT_CODE = re.compile(r"Exit code (\d+)(?!\d)(?!\nCommand timed out)")
KINDS = (
    ("input_tokens", "inputTokens"),
    ("output_tokens", "outputTokens"),  # thinking is in it
    ("cache_read_input_tokens", "cacheReadInputTokens"),
    ("cache_creation_input_tokens", "cacheCreationInputTokens"),
)
"""The kinds of tokens, in the order of Tokens: as a request has them, and as a result sums them."""
