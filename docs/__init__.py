"""The documents, and `docs.generate`, which makes those that the code can tell by itself."""
