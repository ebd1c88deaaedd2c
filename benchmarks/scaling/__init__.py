"""How long a plan takes on more workers than are at hand, simulated: python -m benchmarks.scaling --help."""
