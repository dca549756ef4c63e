"""What tests find where they run: the code that Python and Node import, and from where."""
