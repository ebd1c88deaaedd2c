"""How far confidence can be believed."""
