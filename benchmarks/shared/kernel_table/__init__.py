"""Every kernel once: how its inputs are made, and how near the two backends come to each other.

Tests and benchmarks are generated from `KERNELS`, which `rows` holds. Tests import this folder by
its own name, asv as a part of `benchmarks`.
"""

from .kernel import BENCHMARK_SIZES as BENCHMARK_SIZES
from .kernel import DTYPES as DTYPES
from .kernel import NASTY as NASTY
from .kernel import SIZES as SIZES
from .kernel import Inputs as Inputs
from .kernel import Kernel as Kernel
from .kernel import copied as copied
from .kernel import reference as reference
from .rows import ACTIVATIONS as ACTIVATIONS
from .rows import KERNELS as KERNELS
