"""The command line; `main` runs it."""

from .commands import main as main

__all__ = ["main"]
