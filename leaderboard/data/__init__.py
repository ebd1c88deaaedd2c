"""What the pages show, worked out without a page: queries, rankings, scales and points."""
