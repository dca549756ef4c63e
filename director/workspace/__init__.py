"""The user's repository, the job repository, worktrees, processes and gates."""
