"""Compiles exported headers and runs them on rows: in this process, or under sanitizers."""

from __future__ import annotations

import ctypes
import functools
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastmlp.kernels.typing import Array

WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Wdouble-promotion", "-Wpedantic", "-Werror")
STANDARDS = {"gcc": "c99", "clang": "c99", "g++": "c++11", "clang++": "c++11"}
# Those that can watch one program together; gcc knows nothing of numbers that nobody wrote.
SANITIZERS = {
    "gcc": ("address,undefined,float-cast-overflow",),
    "clang": ("address,undefined,float-cast-overflow", "memory"),
}

_WRAPPER = """
#include "{header}"

#ifdef __cplusplus
extern "C" {{
#endif
int wrapped_number(int which);
int wrapped_predict(const {c_type} *x, {c_type} *y, {c_type} *scratch);
void wrapped_rows(int n, const {c_type} *x, {c_type} *y, {c_type} *scratch, int *codes);
int wrapped_class(const {c_type} *y);
const char *wrapped_label(int j);
#ifdef __cplusplus
}}
#endif

int wrapped_number(int which)
{{
    return which == 0 ? {P}_N_FEATURES : which == 1 ? {P}_N_OUTPUTS : {P}_SCRATCH;
}}

int wrapped_predict(const {c_type} *x, {c_type} *y, {c_type} *scratch)
{{
    return {p}_predict(x, y, scratch);
}}

void wrapped_rows(int n, const {c_type} *x, {c_type} *y, {c_type} *scratch, int *codes)
{{
    for (int i = 0; i < n; ++i)
        codes[i] = {p}_predict(x + i * {P}_N_FEATURES, y + i * {P}_N_OUTPUTS, scratch);
}}

int wrapped_class(const {c_type} *y)
{{
    (void)y;
    return {class_call};
}}

const char *wrapped_label(int j)
{{
    return {label};
}}
"""

_PROGRAM = """
#include <stdio.h>
#include <stdlib.h>

#include "{header}"

/* Each array is a block of its own, so that a step beyond its end is seen. */
int main(void)
{{
    {c_type} *x = ({c_type} *)malloc({P}_N_FEATURES * sizeof({c_type}));
    {c_type} *y = ({c_type} *)malloc({P}_N_OUTPUTS * sizeof({c_type}));
    {c_type} *scratch = ({c_type} *)malloc({P}_SCRATCH * sizeof({c_type}));
    while (fread(x, sizeof({c_type}), {P}_N_FEATURES, stdin) == {P}_N_FEATURES) {{
        const int code = {p}_predict(x, y, scratch);
        if (code != {P}_OK)
            for (int j = 0; j < {P}_N_OUTPUTS; ++j)
                y[j] = 0;
        fwrite(&code, sizeof(int), 1, stdout);
        fwrite(y, sizeof({c_type}), {P}_N_OUTPUTS, stdout);
    }}
    free(x);
    free(y);
    free(scratch);
    return 0;
}}
"""


def need(*commands: str) -> None:
    """Skip the test where a command is missing."""
    for command in commands:
        if shutil.which(command) is None:
            pytest.skip(f"{command} is not installed")


def compile_c(compiler: str, source: Path, *arguments: str, strict: bool = True) -> None:
    """Run a compiler on one source file; `strict` asks for its standard and all warnings.

    Skips where the compiler is missing; fails with its messages where it has any.
    """
    need(compiler)
    given = (f"-std={STANDARDS[compiler]}", *WARNINGS) if strict else ()
    command = [compiler, *given, str(source), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stderr[:4000]}"


def _options(sanitizers: str) -> tuple[str, ...]:
    return (f"-fsanitize={sanitizers}", "-fno-sanitize-recover=all", "-O1")


@functools.cache
def _has(compiler: str, sanitizers: str) -> bool:
    """Tell whether the libraries of the sanitizers are there: packages of their own for clang."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "nothing.c"
        source.write_text("int main(void) { return 0; }\n")
        command = [compiler, str(source), *_options(sanitizers), "-o", str(source.with_suffix(""))]
        return subprocess.run(command, capture_output=True, timeout=120).returncode == 0


def _write(folder: Path, name: str, compiler: str, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    source = folder / (name + (".cpp" if compiler.endswith("++") else ".c"))
    source.write_text(text)
    return source


@dataclass
class CompiledHeader:
    """A header as a shared library; called with rows it gives outputs and return codes."""

    library: Any
    dtype: np.dtype[Any]
    n_features: int
    n_outputs: int
    n_scratch: int

    def __call__(self, x: Array) -> tuple[Array, Array]:
        """Predict rows ``(n, n_features)``; rows that are refused keep NaN.

        Fails where more than `n_scratch` numbers of scratch are written.
        """
        x = np.ascontiguousarray(x, self.dtype)
        assert x.ndim == 2
        assert x.shape[1] == self.n_features
        y = np.full((len(x), self.n_outputs), np.nan, self.dtype)
        # What scratch holds before must not matter, and what lies behind it must stay.
        scratch = np.full(self.n_scratch + 64, np.nan, self.dtype)
        codes = np.full(len(x), -1, np.int32)
        self.library.wrapped_rows(len(x), *map(_address, (x, y, scratch, codes)))
        assert np.isnan(scratch[self.n_scratch :]).all()
        return y, codes

    def predict_pointers(self, x: Array | None, y: Array | None, scratch: Array | None) -> int:
        """The return code for one row; None is a null pointer."""
        return int(self.library.wrapped_predict(*map(_address, (x, y, scratch))))

    def classes(self, y: Array) -> Array:
        """The class of each row of outputs."""
        rows = np.ascontiguousarray(y, self.dtype)
        return np.array([self.library.wrapped_class(_address(row)) for row in rows])

    def label(self, j: int) -> str:
        """One of the labels."""
        text: bytes = self.library.wrapped_label(j)
        return text.decode()


def _address(values: Array | None) -> ctypes.c_void_p:
    return ctypes.c_void_p(None if values is None else values.ctypes.data)


def compile_header(
    header: Path,
    *,
    prefix: str = "model",
    dtype: str = "float32",
    compiler: str = "gcc",
    flags: tuple[str, ...] = ("-O2",),
    math: bool = True,
) -> CompiledHeader:
    """Compile a header into a shared library and load it.

    Parameters
    ----------
    header : Path
        Results are put into a folder beside it.
    prefix, dtype : str
        Those of the header.
    compiler : str
        A key of `STANDARDS`; the test is skipped where it is missing.
    flags : tuple of str
        Beside the standard and the warnings.
    math : bool
        Whether to link the library of ``math.h``.
    """
    text = header.read_text()
    c_type = {"float32": "float", "float64": "double"}[dtype]
    wrapper = _WRAPPER.format(
        header=header.absolute(),
        c_type=c_type,
        p=prefix,
        P=prefix.upper(),
        class_call=f"{prefix}_predict_class(y)" if f"{prefix}_predict_class(" in text else "-1",
        label=f"{prefix}_labels[j]" if f"{prefix}_labels[" in text else 'j == 0 ? "" : 0',
    )
    folder = header.parent / f"{header.stem}_{compiler}{'_'.join(flags)}".replace("=", "_")
    source = _write(folder, "wrapper", compiler, wrapper)
    shared = folder / "wrapper.so"
    libraries = ("-lm",) if math else ()
    compile_c(compiler, source, *flags, "-shared", "-fPIC", "-o", str(shared), *libraries)
    library = ctypes.CDLL(str(shared))
    library.wrapped_label.restype = ctypes.c_char_p
    numbers = [library.wrapped_number(which) for which in range(3)]
    return CompiledHeader(library, np.dtype(dtype), *numbers)


def run_sanitized(
    header: Path,
    x: Array,
    *,
    prefix: str = "model",
    dtype: str = "float32",
    compiler: str = "gcc",
    math: bool = True,
) -> tuple[Array, Array]:
    """Predict rows with all sanitizers of the compiler watching.

    Returns outputs (0 where a row is refused) and return codes; fails with a sanitizer's report.
    """
    need(compiler)
    c_type = {"float32": "float", "float64": "double"}[dtype]
    text = _PROGRAM.format(header=header.absolute(), c_type=c_type, p=prefix, P=prefix.upper())
    folder = header.parent / f"{header.stem}_{compiler}_sanitized"
    source = _write(folder, "program", compiler, text)
    program = folder / "program"
    libraries = ("-lm",) if math else ()
    given = np.ascontiguousarray(x, dtype).tobytes()
    found = set()
    for sanitizers in SANITIZERS[compiler]:
        if not _has(compiler, sanitizers):
            pytest.skip(f"{compiler} has no libraries for -fsanitize={sanitizers}")
        options = (*_options(sanitizers), "-o", str(program), *libraries)
        compile_c(compiler, source, *options, strict=False)
        done = subprocess.run([program], input=given, capture_output=True, timeout=120)
        assert done.returncode == 0, done.stderr.decode(errors="replace")[:4000]
        found.add(done.stdout)
    (said,) = found
    n_outputs = (len(said) // len(x) - 4) // np.dtype(dtype).itemsize
    rows = np.frombuffer(said, np.dtype([("code", "i4"), ("y", dtype, (n_outputs,))]))
    return rows["y"].copy(), rows["code"].copy()
