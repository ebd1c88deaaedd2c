"""One file a part of the report; each takes the context and gives sections."""
