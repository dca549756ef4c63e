"""What a server has loaded for a folder, kept from one session there to the next.

OpenCode loads the configuration, agents, plugins and providers of a folder when it is first asked
there, which takes most of a short call's time, and reads none of them again before it is told to
forget the folder. So they are kept as long as the files that they come from are the same, and
nothing that the server started for the folder runs: a language server would work on between calls.
"""

from __future__ import annotations

from pathlib import Path

from director.agents.opencode.listener import Listener, Loaded
from director.agents.opencode.project_code import digest_of_settings
from director.agents.opencode.server import Server
from director.agents.opencode.server_error import ServerError

FORGOTTEN_SECS = 2.0  # until the events of a folder that is forgotten end


def enter(server: Server, folder: Path) -> Loaded:
    """Return a folder for a session, the only one there; what was kept may be forgotten first.

    Raises ServerError where that cannot be: then the server is ended, if it is ours.
    """
    settings = digest_of_settings(folder)
    kept = server.loaded.pop(folder, None)
    if kept and kept.settings == settings and kept.listener.alive:
        return kept
    if kept:
        _forget_or_end(server, folder, kept)
    return Loaded(Listener(server.events(folder)), settings)


def leave(server: Server, folder: Path, loaded: Loaded, *, well: bool) -> None:
    """Keep a folder after a session that ended ``well``, if that can be, or forget it.

    Raises ServerError where the server may not have forgotten it.
    """
    if well and _can_keep(server, folder, loaded):
        server.loaded[folder] = loaded
    else:
        forget(server, folder, loaded)


def forget(server: Server, folder: Path, loaded: Loaded) -> None:
    """Have the server forget a folder, and end what it runs there."""
    try:
        server.dispose(folder)
        loaded.listener.await_end(FORGOTTEN_SECS)  # or the next events would end with these
    finally:
        loaded.listener.close()


def _forget_or_end(server: Server, folder: Path, loaded: Loaded) -> None:
    try:
        forget(server, folder, loaded)
    except ServerError:
        server.end()  # it would use the settings of before
        raise


def _can_keep(server: Server, folder: Path, loaded: Loaded) -> bool:
    if loaded.settings is None or not loaded.listener.alive or server.may_work_in(folder):
        return False
    return digest_of_settings(folder) == loaded.settings  # an agent may have changed it
