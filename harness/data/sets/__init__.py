"""The data sets that come with the harness, by what they hold; `harness.data.builtin` lists them all."""
