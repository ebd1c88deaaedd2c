"""The command line: parse, delegate, print."""

from harness.cli.app import main

__all__ = ["main"]
