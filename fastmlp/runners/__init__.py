"""Who carries a program out: the NumPy runner, which is the specification, or compiled code.

In: a program with its state, and batches. Out: predictions, gradients, updated state.
May not know: epochs, callbacks, labels, files.
"""
