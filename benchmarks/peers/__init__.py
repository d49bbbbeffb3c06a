"""fastmlp beside other libraries, each at its best, on the same work and the same machine.

``python -m benchmarks.peers --help`` tells the options; `measure.measure` does the same from
Python. Each library runs in a process of its own, with its threads pinned before it is imported;
the processes take turns, with a pause between them so that no spinning thread disturbs the next.
"""

from __future__ import annotations
