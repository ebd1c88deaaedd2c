"""What only an accelerator can show; what can be tried without one is tried on the processor, so that it can't rot."""
