"""What goes wrong with a server, apart from it: importing the server is slow."""

from __future__ import annotations


class ServerError(Exception):
    """An OpenCode server does not do what it was asked; the text says in what."""
