"""Tables of texts, numbers and gaps: read, understood, and made into rows of numbers.

In: a file or a data frame. Out: matrices, and the preparation as plain data.
May not know: networks, models, the command line.
"""
