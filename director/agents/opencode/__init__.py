"""OpenCode: calls of its own or on a server, its events and its configuration."""
