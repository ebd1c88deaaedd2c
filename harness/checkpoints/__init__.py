"""From a model reference to a loaded checkpoint: resolve, inspect, fingerprint, load."""
