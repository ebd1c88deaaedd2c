"""What happened in a run, on disk: append-only, resumable, verifiable."""
