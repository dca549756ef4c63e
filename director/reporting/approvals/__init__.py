"""What lies at an approval: the plan by layers, the spec, what a revision changed."""
