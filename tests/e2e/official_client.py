"""A conversation with ``director mcp``, by the official client; prints what it heard as JSON.

For a Python that has the package ``mcp``: ``official_client.py REPOSITORY COMMAND…``.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

from mcp import (  # type: ignore[import-not-found]
    ClientSession,
    StdioServerParameters,
)
from mcp.client.stdio import stdio_client  # type: ignore[import-not-found]

CALLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("status", {}),
    ("plan", {"task": "make things"}),
    ("approve", {}),
    ("approve", {}),
    ("run", {"parallel": 1}),
    ("verify", {}),
    ("logs", {"node": "a", "part": "gate"}),
    ("node", {"node": "a", "diff": True}),
)
READ = ("current", "spec", "plan", "node/a", "metrics")


async def main(repository: str, command: str, *arguments: str) -> dict[str, Any]:
    """Return what each step of the conversation brought."""
    heard: dict[str, Any] = {"calls": [], "progress": [], "read": {}}
    parameters = StdioServerParameters(
        command=command, args=[*arguments], env=dict(os.environ), cwd=repository
    )

    async def progress(count: float, total: float | None, message: str | None) -> None:
        heard["progress"].append([count, total, message])

    async with stdio_client(parameters) as streams, ClientSession(*streams) as session:
        heard["greeting"] = plain(await session.initialize())
        await session.send_ping()
        heard["tools"] = plain(await session.list_tools())
        heard["resources"] = plain(await session.list_resources())
        heard["templates"] = plain(await session.list_resource_templates())
        for name, given in CALLS:
            result = await session.call_tool(name, given, progress_callback=progress)
            heard["calls"].append([name, plain(result)])
        for name in READ:
            heard["read"][name] = plain(await session.read_resource(f"director://job/{name}"))
        try:
            heard["refused"] = plain(await session.call_tool("plan", {"task": 5}))
        except Exception as error:
            heard["refused"] = str(error)
    return heard


def plain(model: Any) -> Any:
    """Return a message of the client's as JSON values, by the names of the protocol."""
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(*sys.argv[1:]))))
