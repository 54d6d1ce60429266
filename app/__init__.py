"""Remembrancer: agent memory over HTTP."""

__version__ = "0.1.0"
