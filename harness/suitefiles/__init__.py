"""What the user asks to run: suite files, the tasks that they declare, and the choice among all that is installed."""
