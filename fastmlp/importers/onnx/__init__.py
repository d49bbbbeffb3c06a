"""ONNX graphs as models.

In: a file or a ModelProto. Out: the nested layers that compute the same.
May not know: other importers; it shares `graph`, `parts` and `assembly` with them.
"""
