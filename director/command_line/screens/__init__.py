"""What several commands, or the longest of them, say at their end."""
