"""The project's files and its git repository."""
