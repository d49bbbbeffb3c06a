"""The compiled runner: a program lowered to tables of instructions, run by threads of its own.

In: what the NumPy runner takes. Out: the same numbers.
May not know: more of training and models than the NumPy runner does.
"""
