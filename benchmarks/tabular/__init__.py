"""What fastmlp reaches on open tables beside other methods: ``python -m benchmarks.tabular``.

`fastmlp.peers.tabular` knows the methods and measures a fit in a process of its own. Here are all
open tables, some splits of each, a file of results that goes on where it stopped (`results.py`),
what follows from them (`summary.py`), and the page and the picture that tell it.
"""
