"""Where checkpoints come from: folders, packages, hubs and files to convert."""
