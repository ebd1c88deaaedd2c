"""What runs inside a sandbox: the standard library alone, since nothing else is there."""
