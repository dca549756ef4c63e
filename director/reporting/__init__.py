"""Views of the records: live lines, the status table, the bench table. They never decide."""
