"""Compiling everything beforehand, so that no first use has to wait."""

from __future__ import annotations

from collections.abc import Iterator


def everything() -> Iterator[tuple[str, str, str]]:
    """Each op, dtype and member of its family that a program can name."""
    from .kernels.compiled.activations import ELEMENTWISE
    from .kernels.compiled.losses import LOSSES
    from .kernels.compiled.op import OPS

    members = {
        "activation_forward": tuple(ELEMENTWISE),
        "activation_backward": tuple(ELEMENTWISE),
        "elementwise_loss": tuple(LOSSES),
        "gather_rows": ("float32", "float64", "uint8"),
    }
    for dtype in ("float32", "float64"):
        for op in OPS:
            for member in members.get(op, ("",)):
                yield op, dtype, member


def warmup(progress: bool = False) -> None:
    """Compile every kernel, for both dtypes, into the on-disk cache.

    Afterwards no fit and no prediction compiles anything. What is in the cache already is only
    loaded.

    Parameters
    ----------
    progress : bool
        Show a bar (by tqdm).

    Raises
    ------
    ImportError
        The numba backend is not installed, or tqdm is not and a bar was asked for.
    """
    from .kernels import get_backend

    get_backend("numba")
    from .kernels.compiled.op import OPS
    from .kernels.compiled.runner import runner

    runner()
    jobs = list(everything())
    bar = None
    if progress:
        from .errors import missing_extra

        try:
            from tqdm import tqdm
        except ImportError as error:
            raise missing_extra("tqdm", "cli") from error
        bar = tqdm(total=len(jobs), unit="kernel", desc="compiling")
    try:
        for op, dtype, member in jobs:
            OPS[op].compiled(dtype, member)
            if bar is not None:
                bar.update()
    finally:
        if bar is not None:
            bar.close()
