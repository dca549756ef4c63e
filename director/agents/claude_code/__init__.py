"""The backend for Claude Code (``claude -p``)."""
