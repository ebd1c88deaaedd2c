"""How a command begins and ends: exit codes, signals, streams, the network."""
