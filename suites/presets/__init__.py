"""Named choices of suites, tasks and sizes, as YAML files."""
