"""Methods that say which parts of a text made a model decide as it did, by captum's algorithms."""
