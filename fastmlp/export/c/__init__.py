"""Frozen networks as one C header, without allocation or state.

In: a frozen program, float or int8. Out: the text of the header.
May not know: the other forms.
"""
