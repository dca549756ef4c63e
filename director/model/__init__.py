"""Plan, DAG rules, configuration, money, outcomes and errors: pure values and decisions."""
