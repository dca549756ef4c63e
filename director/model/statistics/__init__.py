"""What a few numbers say about many: estimates, their intervals, and whether those decide."""
