"""Runs that end when a policy is decided: which samples are asked next, and when it is enough."""
