"""Asking, and rendering a version of the template."""
