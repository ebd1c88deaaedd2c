"""Families of tasks that built-in, declared and third-party tasks share."""
