"""`Sequential`, the object that users hold: checks, converts, hands down; its copies and files.

In: what users write. Out: what `api` promises them.
May not know: how a program is run, nor who draws, explains or exports the model.
"""
