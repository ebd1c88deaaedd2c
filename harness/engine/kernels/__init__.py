"""Who sees whom in packed rows, and what computes attention faster than the calls that models make."""
