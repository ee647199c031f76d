"""Semantic search over this project's guidance, with pgvector and an HNSW index."""
