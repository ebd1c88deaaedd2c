"""Is what is said written down: in quiet, in noise, and where nothing is said."""
