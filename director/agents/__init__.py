"""The coding agent: roles and permissions, one call, its transcript, what it cost."""
