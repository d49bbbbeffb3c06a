"""What ops are made with: their declaration and cache, typed pointers, vectors, products, math.

In: functions on addresses. Out: compiled callbacks, and the runner that calls them from a table.
May not know: which ops there are.
"""
