"""fastmlp beside other ways to learn from tables: what they reach, and what it takes.

Each fit has a process of its own and one thread. What a method does with texts and gaps before its
fit is part of it (`methods.py`), for that is how it is used.

In: tables, names of methods, numbers of splits. Out: errors, seconds, a table of both.
May not know: the command line; of fastmlp it uses what users import.
"""
