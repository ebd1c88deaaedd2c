"""Whether what the model writes follows instructions on its form, each checked by a rule."""
