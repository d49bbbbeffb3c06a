"""PyTorch modules as models, read by tracing and tried out on rows.

In: a module. Out: the nested layers that compute the same.
May not know: other importers; it shares `graph`, `parts` and `assembly` with them.
"""
