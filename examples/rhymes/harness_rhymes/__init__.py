"""A suite of rhymes: an example of a plug-in package."""
