"""What a bench of several repeats says: in a terminal, as Markdown, as a page."""
