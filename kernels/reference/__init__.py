"""The kernels in NumPy: the specification of what every backend computes.

Each function is the formula of its docstring, written for reading. Arrays are C-contiguous and of
one dtype, float32 or float64; scalars are Python floats, so that constants are worked out in double
precision and arrays keep their dtype. Inputs are not modified unless the docstring says so. A
trailing argument that carries the name of a result receives that result. Shapes and dtypes are not
checked.

A kernel is listed once, in the ``__all__`` of its module; ``get_backend`` reads these lists.
"""
