"""The Codex that the end-to-end tests drive: the one on PATH, else one installed for them."""
