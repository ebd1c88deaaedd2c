"""The leaderboard as files, for a share or the artifact of a CI job: HTML that opens by itself, without a server."""
