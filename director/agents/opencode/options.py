"""What the configuration says of OpenCode: the section ``[opencode]``."""

import re
from collections.abc import Iterator
from typing import Annotated, NamedTuple

from director.model.codec.marks import Validate
from director.model.codec.mistakes import Mistake
from director.model.config import Config
from director.model.config_values import CountOrNone

NAME = "opencode"


def _server_problems(server: str) -> Iterator[str]:
    if server not in ("auto", "off") and not re.fullmatch(r"https?://[^/\s]+(/\S*)?", server):
        yield f'must be "auto", "off" or the URL of a server, not {server!r}'


class OpenCodeOptions(NamedTuple):
    """How OpenCode is run. ``server``: ``auto``, ``off``, or the URL of one that runs already.

    ``server_max_mib``: one that holds more memory is replaced (0: however large it is).
    """

    server: Annotated[str, Validate(_server_problems)] = "auto"
    server_max_mib: CountOrNone = 1536

    @property
    def server_url(self) -> str | None:
        """The server that the user runs, if that is what is wanted."""
        return None if self.server in ("auto", "off") else self.server


def options_of(config: Config) -> OpenCodeOptions:
    """Return the section of a configuration, or what holds without one."""
    return config.options_of(NAME, OpenCodeOptions)


def problems(config: Config) -> Iterator[Mistake]:
    """Give what the section asks for that other sections forbid."""
    if not options_of(config).server_url:
        return
    if config.sandbox.demanded or config.launcher.kind != "local":
        section = "[sandbox]" if config.sandbox.demanded else "[launcher]"
        problem = f"names a server, which {section} cannot hold: leave one of them out"
        yield Mistake((NAME, "server"), problem)
