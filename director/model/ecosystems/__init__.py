"""What marks a kind of project, prepares it, and runs its tests: decided from tracked files."""
