"""Frozen networks as one Python file that needs NumPy alone.

In: a frozen program and its labels. Out: the text of the file.
May not know: the other forms.
"""
