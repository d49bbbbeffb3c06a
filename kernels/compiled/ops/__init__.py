"""Compiled ops: what an instruction of a program can do, a module for each module of the reference.

In: addresses, row lengths and sizes. Out: results in memory that the caller owns.
May not know: programs, models, and the Python functions on arrays that call single ops.
"""
