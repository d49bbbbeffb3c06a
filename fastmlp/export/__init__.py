"""Frozen networks as programs for other machines, and what they cost there.

In: a frozen program, float or int8. Out: text or bytes of a file.
May not know: models, training, where the program came from.
"""
