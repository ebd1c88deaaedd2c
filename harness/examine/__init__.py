"""What can be known before anything is run: of the machine, of a checkpoint, of what is installed."""
