"""Questions to the person at the terminal, and what comes of the answers."""
