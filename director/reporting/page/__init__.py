"""A job as one HTML page, or as Markdown: read from its records, drawn by pure functions."""
