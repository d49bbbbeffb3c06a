"""Types that the kernels' signatures share."""

from __future__ import annotations

from typing import Any, TypeAlias

from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
"""A C-contiguous array; all floating arrays of one call have the same dtype."""

ActivationSpec: TypeAlias = str | tuple[str, float]
"""An activation's name, or its name and parameter: ``"relu"``, ``("leaky_relu", 0.01)``."""
