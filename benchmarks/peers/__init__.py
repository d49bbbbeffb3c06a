"""fastmlp beside other libraries, each at its best, on the same work and the same machine.

``fastmlp bench --help`` tells the options; `measure.measure` does the same from Python. Each
library runs in processes of its own, one for each number of threads, which is pinned before the
library is imported; the processes take turns, with a pause between them so that no spinning thread
disturbs the next.
"""

from __future__ import annotations

if __name__ != "fastmlp.peers":
    # Whatever walks the folder, as asv does, must not import the modules under a second name.
    __path__ = []
