"""Which models the installed agent CLIs offer."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from director.agents.backend import Asking, Backend
from director.agents.registry import BACKENDS
from director.model.config import Config
from director.model.errors import RequestError
from director.model.offers import Offer
from director.processes.cancellation import Cancellation
from director.processes.supervisor import Processes


def installed(env: Mapping[str, str], config: Config) -> Iterator[Backend]:
    """Give the backends whose program is there."""
    for backend in BACKENDS:
        try:
            backend.program(config, env)
        except RequestError:
            continue
        yield backend


def offered(
    root: Path, env: Mapping[str, str], cancellation: Cancellation, begins: Callable[[str], None]
) -> dict[str, tuple[Offer, ...]]:
    """Return title → models of each agent CLI that is installed.

    ``root`` is the user's checkout, which is only read; ``begins`` is told of each that is asked.
    """
    config = Config({})
    processes = Processes(f"init-{secrets.token_hex(6)}", cancellation)
    found = {}
    for backend in installed(env, config):
        begins(f"asking {backend.title} which models it has")
        with tempfile.TemporaryDirectory(prefix="director-", ignore_cleanup_errors=True) as scratch:
            asking = Asking(processes, env, root, config, Path(scratch).resolve())
            found[backend.title] = tuple(backend.offers(asking))
    return found
