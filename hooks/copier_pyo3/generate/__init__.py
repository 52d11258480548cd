"""Checking answers, and rendering a version of the template."""
