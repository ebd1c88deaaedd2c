"""Do the intervals hold? Samples drawn from known truths, and how often the interval of each metric covers them."""
