"""Bases for tasks, tasks and suites that a file declares, and the choice of what to run."""
