"""director: a strong model plans, a cheap model implements, exit codes decide what merges."""

__version__ = "1.0.0"
