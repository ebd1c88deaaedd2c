"""Instruments: each measures or disturbs one thing."""
