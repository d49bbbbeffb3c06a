"""Rows of X and y: checked, encoded, cut into batches and put into an order.

In: arrays, data frames, sparse matrices, labels. Out: contiguous arrays, targets, batches.
May not know: layers, losses or how a batch is trained on.
"""
