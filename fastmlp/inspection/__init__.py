"""Looking into a model: explanations, recordings, gradient checks, range tests, pictures.

In: a model and rows. Out: texts, tables, arrays, matplotlib axes; the model stays as it was.
May not know: the command line; nothing below imports from here.
"""
