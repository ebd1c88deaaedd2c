"""What lies on and around the texts of a request."""
