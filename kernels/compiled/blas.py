"""SciPy's BLAS inside the kernels: its GEMM by address, and a hold on its threads.

The addresses come from ``scipy.linalg.cython_blas``, SciPy's public interface for compiled code.
Only that extension file is loaded: importing ``scipy.linalg`` takes forty times as long.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.machinery
import importlib.util
import os
import sys
import threading
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import scipy
from llvmlite import binding, ir
from numba import types
from numba.extending import intrinsic

_NAME = "scipy.linalg.cython_blas"


def _load_extension() -> ModuleType:
    if _NAME in sys.modules:
        return sys.modules[_NAME]
    folder = os.path.join(os.path.dirname(scipy.__file__), "linalg")
    found = importlib.machinery.PathFinder.find_spec("cython_blas", [folder])
    if found is None or found.origin is None:
        return importlib.import_module(_NAME)
    spec = importlib.util.spec_from_file_location(_NAME, found.origin)
    if spec is None or spec.loader is None:
        return importlib.import_module(_NAME)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _address(module: ModuleType, name: str) -> int:
    capsule = module.__dict__["__pyx_capi__"][name]
    api = ctypes.pythonapi
    api.PyCapsule_GetName.restype = ctypes.c_char_p
    api.PyCapsule_GetName.argtypes = [ctypes.py_object]
    api.PyCapsule_GetPointer.restype = ctypes.c_void_p
    api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    signature: bytes = api.PyCapsule_GetName(capsule)
    if b"int *" not in signature or b"long" in signature:
        raise ImportError(
            f"SciPy's {name} takes {signature.decode()}, but 32-bit sizes (int *) were expected; "
            "install a SciPy with an LP64 BLAS, or use the 'numpy' backend"
        )
    pointer: int = api.PyCapsule_GetPointer(capsule, signature)
    return pointer


def _register() -> None:
    module = _load_extension()
    binding.add_symbol("fastmlp_sgemm", _address(module, "sgemm"))
    binding.add_symbol("fastmlp_dgemm", _address(module, "dgemm"))


_register()


@intrinsic
def gemm(
    typing_context: Any,
    variant: Any,
    transpose_a: Any,
    transpose_b: Any,
    m: Any,
    n: Any,
    k: Any,
    a: Any,
    ld_a: Any,
    b: Any,
    ld_b: Any,
    accumulate: Any,
    c: Any,
    ld_c: Any,
) -> Any:
    """Column-major ``C = op(A) op(B)``, or ``C += ...`` where `accumulate` is 1, by BLAS.

    `a`, `b`, `c` are addresses, sizes are int64.
    """
    single = variant.dtype == types.float32
    symbol = "fastmlp_sgemm" if single else "fastmlp_dgemm"
    element = ir.FloatType() if single else ir.DoubleType()
    c_int, c_char = ir.IntType(32), ir.IntType(8)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _, trans_a, trans_b, m, n, k, a, ld_a, b, ld_b, accumulate, c, ld_c = args

        def by_reference(kind: Any, value: Any) -> Any:
            with builder.goto_entry_block():
                cell = builder.alloca(kind)
            builder.store(value, cell)
            return cell

        def integer(value: Any) -> Any:
            return by_reference(c_int, builder.trunc(value, c_int))

        def letter(flag: Any) -> Any:
            is_transposed = builder.icmp_signed("!=", flag, ir.Constant(flag.type, 0))
            code = builder.select(
                is_transposed, ir.Constant(c_char, ord("T")), ir.Constant(c_char, ord("N"))
            )
            return by_reference(c_char, code)

        def array(address: Any) -> Any:
            return builder.inttoptr(address, element.as_pointer())

        one = by_reference(element, ir.Constant(element, 1.0))
        beta = by_reference(element, builder.sitofp(accumulate, element))
        values = [
            *(letter(trans_a), letter(trans_b), integer(m), integer(n), integer(k)),
            *(one, array(a), integer(ld_a), array(b), integer(ld_b), beta, array(c), integer(ld_c)),
        ]
        function_type = ir.FunctionType(ir.VoidType(), [value.type for value in values])
        function = builder.module.globals.get(symbol)
        if function is None:
            function = ir.Function(builder.module, function_type, symbol)
        builder.call(function, values)
        return context.get_dummy_value()

    integers_ = [types.int64] * 12
    return types.void(variant, *integers_), codegen


_lock = threading.Lock()
_holders = 0
_controller: Any = None
_limits: Any = None


@contextlib.contextmanager
def single_threaded() -> Iterator[None]:
    """Keep BLAS to one thread while any caller is inside.

    The limit belongs to the whole process, so it is counted: the first to come in saves and sets
    it, the last to leave restores it, in whatever order they leave.
    """
    global _holders, _controller, _limits
    with _lock:
        if _holders == 0:
            if _controller is None:
                from threadpoolctl import ThreadpoolController

                _controller = ThreadpoolController()
            _let_any_thread_set_limits()
            _limits = _controller.limit(limits=1, user_api="blas")
            _let_any_thread_set_limits()
        _holders += 1
    try:
        yield
    finally:
        with _lock:
            _holders -= 1
            if _holders == 0:
                _let_any_thread_set_limits()
                _limits.restore_original_limits()
                _let_any_thread_set_limits()
                _limits = None


def _let_any_thread_set_limits() -> None:
    """Undo what newer versions of threadpoolctl do: listen to the first thread alone."""
    for library in _controller.lib_controllers:
        clear = getattr(library, "clear_controlling_thread", None)
        if clear is not None:
            clear(force=True)
