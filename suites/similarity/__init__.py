"""Whether embeddings place alike what people find alike."""
