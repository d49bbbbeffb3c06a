"""``python -m fastmlp.peers``: what ``fastmlp bench`` does."""

from __future__ import annotations

import sys

from fastmlp.cli import main

if __name__ == "__main__":
    sys.exit(main(["bench", *sys.argv[1:]]))
