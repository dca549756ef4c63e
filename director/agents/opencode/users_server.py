"""A server that the user runs, named by ``[opencode] server``: used as it is, never ended."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from director.agents.opencode.server import PASSWORD, USER, USERNAME, Address, Server
from director.agents.opencode.server_error import ServerError
from director.model.errors import RequestError, StoppedError
from director.records.files import write_json

ADVICE = f'start it (with {PASSWORD} as it is here), or set [opencode] server = "off"'


def server_at(url: str, env: Mapping[str, str]) -> Server:
    """Return the server at ``url``, with the user name and password of ``env``; nothing is asked.

    It may not answer.
    """
    return Server(Address(url, env.get(PASSWORD, ""), env.get(USERNAME) or USER))


def check_agents(server: Server, config: Mapping[str, Any], folder: Path, copy: Path) -> None:
    """Raise unless a server knows the agents of ``config`` as they are there.

    It is asked for those that it has in ``folder``. StoppedError where it does not answer;
    RequestError where one is missing or different: then ``config`` is in the file ``copy``, for
    the user to start the server with.
    """
    url = server.address.url
    try:
        known = server.agents(folder)
    except ServerError as error:
        what = f"the OpenCode server at {url} does not answer as it should: {error}"
        raise StoppedError(what, ADVICE) from None
    wanted = {name: agent["prompt"] for name, agent in config["agent"].items()}
    if other := sorted(name for name in wanted if known.get(name) != wanted[name]):
        write_json(copy, config)  # a key of [providers.local] is in it, as beside it
        raise RequestError(
            f"the OpenCode server at {url} does not know these agents as they are now: "
            f"{', '.join(other)}",
            f'start it with OPENCODE_CONFIG_CONTENT="$(cat {copy})"',
        )
