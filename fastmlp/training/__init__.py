"""The course of a fit: rows epoch by epoch, validation, callbacks, history, metrics.

In: checked rows or chunks, a runner, a training state. Out: a `History`, a changed state.
May not know: `Sequential`, files, the command line.
"""
