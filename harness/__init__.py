"""Responsible-AI evaluation of language-model checkpoints."""
