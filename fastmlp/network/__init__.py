"""Layers, and how a list of them becomes a program.

In: layers as users write them, and the width of X. Out: a `Blueprint`: a program and first values.
May not know: data, runners, training.
"""
