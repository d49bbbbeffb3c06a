"""The kernels compiled by Numba: the same functions as the reference, and the ops behind them.

The functions take what those of the reference take and give the same results, by one call of the
op that a program would use on the whole range. An array that receives a result may be the input
whose place it takes, such as ``d_z`` that of ``d_out``, but may not overlap another.

Each module takes names, signatures and documentation from that of its name in the reference.
"""
