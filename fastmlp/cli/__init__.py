"""The command line: ``fastmlp train``, ``fastmlp predict`` and the other commands.

In: words of a command line. Out: files, tables on stdout, an exit code.
May not know: what models do within; it uses them as any user does.
"""

from .commands import main as main

__all__ = ["main"]
