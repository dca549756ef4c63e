"""What agents did and gates said, step by step."""
