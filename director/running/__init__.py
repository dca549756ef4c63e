"""From a DAG to a gated, merged job branch."""
