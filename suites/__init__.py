"""One file per dimension of judgement."""
