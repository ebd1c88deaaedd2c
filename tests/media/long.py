"""What is only tried where it is asked for: `make recordings`."""

import os

__all__ = ["ALL_RECORDINGS"]

ALL_RECORDINGS = os.environ.get("HARNESS_RECORDINGS") == "all"
"""Whether packages of some hundred megabytes are fetched: recordings in four more languages, and a larger Whisper."""
