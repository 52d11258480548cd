"""The hooks and the console script of the copier-pyo3 template."""

__version__ = "0.1.0"
