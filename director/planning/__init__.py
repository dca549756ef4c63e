"""From a task to a plan with frozen, red tests, in stages that a crash cannot make pay twice."""
