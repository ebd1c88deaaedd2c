"""Does the model learn from examples that it is shown?"""
