"""The backend for the Codex CLI (``codex exec``)."""
