"""Changes that no test notices, and why that is well.

By the file, the line before and the line after it.
"""

from __future__ import annotations

REASONS: dict[tuple[str, str, str], str] = {}
