"""Writing after prompts."""
