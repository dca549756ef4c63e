"""One frozen plan under several profiles, and what that says about cost."""
