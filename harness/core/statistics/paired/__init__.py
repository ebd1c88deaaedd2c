"""By how much two runs of the same samples differ."""
