"""Views of events and records. They never decide."""
