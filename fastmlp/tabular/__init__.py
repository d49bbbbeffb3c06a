"""How a network is trained for a table: which one, from where on, for how long.

In: rows of prepared numbers, and what they are to give. Out: a trained model, and how it did.
May not know: files, texts, the command line.
"""
