"""One job, opened: its lock, repository, worktrees, gates and crew, and their end."""
