"""The tasks of lm-evaluation-harness, asked through the harness's own engine."""
