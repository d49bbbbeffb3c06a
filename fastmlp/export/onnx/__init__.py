"""Frozen networks as ONNX graphs.

In: a frozen program and its labels. Out: a ModelProto.
May not know: the other forms.
"""
