"""From checked files to a model in memory."""
