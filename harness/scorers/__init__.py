"""Models that judge what another model wrote."""
