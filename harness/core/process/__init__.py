"""What a process may do and how it is watched: time, network, secrets, strangers' code."""
