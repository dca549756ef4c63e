"""One job, opened: its lock, repository, worktrees, gates and agents, and their end."""
