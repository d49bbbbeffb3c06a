"""The ways in which `benchmarks.edge` predicts a network.

Each is a function of a `Network` that exports it or builds it anew, and gives a `Way`. A way whose
libraries or tools are not installed raises `NotInstalled`.
"""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from itertools import cycle, islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np

import fastmlp as fm

from .edge_networks import Array, Network
from .exported_c import COMPILER, Library, Sizes, program

_ZEROS = "np.zeros((1, {n}), dtype=np.float32)"


class NotInstalled(Exception):
    """A way needs something that is not here; the message names it."""


@dataclass(frozen=True)
class Way:
    """One way to predict a network.

    Attributes
    ----------
    predict : callable
        Outputs of rows ``(n, n_features)``, by calls as for many rows.
    one_by_one : callable
        Predicts one row so many times, each by a call of its own.
    start : str or list of str
        Python that predicts one row and ends, or the command of a program that does.
    needs : str
        At run time.
    packages : tuple of str
        Distributions that must be installed for it.
    model_bytes : int
        Of the file or the constants that hold the network.
    code_bytes : int or None
        Of machine code, where that is all there is to install.
    expected : array, optional
        What `predict` must give for the network's rows, where that is not what the model gives.
    tolerance : float
    c_folder, c_includes
        Where C has its header ``model.h``, and what that includes.
    """

    predict: Callable[[Array], Array]
    one_by_one: Callable[[int], None]
    start: str | list[str]
    needs: str
    packages: tuple[str, ...] = ()
    model_bytes: int = 0
    code_bytes: int | None = None
    expected: Array | None = None
    tolerance: float = 1e-5
    c_folder: Path | None = None
    c_includes: tuple[Path, ...] = field(default=())

    def check(self, network: Network) -> None:
        """Hold the outputs against what is expected.

        Raises
        ------
        AssertionError
            They differ by more than `tolerance`.
        """
        expected = network.expected if self.expected is None else self.expected
        error = float(np.abs(self.predict(network.rows) - expected).max())
        assert error <= self.tolerance, f"{self.needs}: {error:.1e} from the model"


def _require(*modules: str) -> None:
    for module in modules:
        if find_spec(module) is None:
            raise NotInstalled(f"the package {module}")


def _each(call: Callable[[Array], Any], rows: Array) -> Callable[[int], None]:
    """Call it with one of the rows so many times."""
    given = list(rows)

    def one_by_one(count: int) -> None:
        for row in islice(cycle(given), count):
            call(row)

    return one_by_one


def predictor(network: Network, backend: str) -> Way:
    """`fastmlp.load_predictor`."""
    if backend == "numba":
        _require("numba")
    path = network.saved()
    loaded = fm.load_predictor(path, backend=backend)
    return Way(
        predict=loaded,
        one_by_one=_each(loaded, network.rows),
        start=f"""
import numpy as np
import fastmlp as fm
fm.load_predictor({str(path)!r}, backend={backend!r})({_zeros(network)})
""",
        needs="Python, NumPy, Numba, fastmlp" if backend == "numba" else "Python, NumPy, fastmlp",
        packages=("numpy", "numba", "fastmlp") if backend == "numba" else ("numpy", "fastmlp"),
        model_bytes=path.stat().st_size,
    )


def python_file(network: Network) -> Way:
    """What `Predictor.export_python` writes."""
    path = network.python_file()
    spec = spec_from_file_location("exported_model", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return Way(
        predict=module.predict,
        one_by_one=_each(module.predict, network.rows[:, np.newaxis]),
        start=f"""
import sys
sys.path.insert(0, {str(path.parent)!r})
import numpy as np
import model
model.predict({_zeros(network)})
""",
        needs="Python, NumPy",
        packages=("numpy",),
        model_bytes=path.stat().st_size,
    )


def _c(
    network: Network, folder: Path, needs: str, includes: tuple[Path, ...] = (), **others: Any
) -> Way:
    if shutil.which(COMPILER) is None:
        raise NotInstalled(f"a C compiler named {COMPILER}")
    library = Library(folder, includes)
    sizes: Sizes = library.sizes()
    return Way(
        predict=lambda x: library.predict(x, network.n_outputs),
        one_by_one=lambda count: library.repeat(count, network.rows),
        start=[str(program(folder, includes))],
        needs=needs,
        model_bytes=sizes.constants,
        code_bytes=sizes.code,
        c_folder=folder,
        c_includes=includes,
        **others,
    )


def c_float(network: Network, math: str) -> Way:
    """What `Predictor.export_c` writes."""
    needs = "a C compiler, math.h" if math == "math.h" else "a C compiler"
    return _c(network, network.c_folder(math), needs)


def c_int8(network: Network) -> Way:
    """The same with weights and activations of 8 bits, equal to the quantized predictor."""
    quantized = network.predictor.quantize(network.data[0])
    return _c(
        network,
        network.c_folder("inline", int8=True),
        "a C compiler",
        expected=quantized(network.rows),
        tolerance=0.0,
    )


def sklearn(network: Network) -> Way:
    """MLPClassifier with the same weights."""
    _require("sklearn")
    path = _pickled(network)
    estimator = pickle.loads(path.read_bytes())
    return Way(
        predict=estimator.predict_proba,
        one_by_one=_each(estimator.predict_proba, network.rows[:, np.newaxis]),
        start=f"""
import pickle
import numpy as np
with open({str(path)!r}, "rb") as file:
    pickle.load(file).predict_proba({_zeros(network)})
""",
        needs="Python, NumPy, SciPy, scikit-learn",
        packages=("scikit-learn",),
        model_bytes=path.stat().st_size,
    )


def _pickled(network: Network) -> Path:
    """A file of scikit-learn's MLPClassifier with the network's weights."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    estimator = MLPClassifier(network.widths[1:-1], max_iter=1, batch_size=32)
    x, y = network.data
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        estimator.fit(x, y)
    estimator.coefs_ = [weight.copy() for weight, _ in network.layers]
    estimator.intercepts_ = [bias.copy() for _, bias in network.layers]
    path = network.subfolder("sklearn") / "model.pickle"
    path.write_bytes(pickle.dumps(estimator))
    return path


# It compiles programs of its own into the folder that the process is in.
_CONVERT = """
import pickle
import emlearn
with open({path!r}, "rb") as file:
    estimator = pickle.load(file)
emlearn.convert(estimator, method="loadable").save(name="net", file="net.h")
"""
_EMLEARN = """
#include "net.h"

#define MODEL_N_FEATURES {n_features}
#define MODEL_N_OUTPUTS {n_outputs}
#define MODEL_SCRATCH 1
#define MODEL_OK 0

static int model_predict(const float *x, float *y, float *scratch)
{{
    (void)scratch;
    return (int)eml_net_predict_proba(&net, x, MODEL_N_FEATURES, y, MODEL_N_OUTPUTS);
}}
"""


def emlearn(network: Network) -> Way:
    """emlearn's C of the same weights in scikit-learn's MLPClassifier."""
    _require("sklearn", "emlearn")
    folder = network.subfolder("emlearn")
    command = [sys.executable, "-c", _CONVERT.format(path=str(_pickled(network)))]
    subprocess.run(command, cwd=folder, check=True)
    text = _EMLEARN.format(n_features=network.n_features, n_outputs=network.n_outputs)
    (folder / "model.h").write_text(text)
    spec = find_spec("emlearn")
    assert spec is not None
    assert spec.origin is not None
    return _c(
        network,
        folder,
        "a C compiler, math.h, emlearn's headers",
        (Path(spec.origin).parent,),
        # It writes weights with six digits after the point.
        tolerance=1e-4,
    )


def onnxruntime(network: Network) -> Way:
    """onnxruntime on what `Predictor.export_onnx` writes."""
    _require("onnx", "onnxruntime")
    import onnx
    import onnxruntime

    exported = network.onnx_file()
    graph = onnx.load(exported).graph
    (name,) = [given.name for given in graph.input]
    outputs = [
        out.name for out in graph.output if out.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    ]
    # Without the labels, which the others do not give either.
    path = exported.with_name("outputs.onnx")
    onnx.utils.extract_model(str(exported), str(path), [name], outputs)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def predict(x: Array) -> Array:
        return session.run(outputs, {name: x})[0]

    return Way(
        predict=predict,
        one_by_one=_each(predict, network.rows[:, np.newaxis]),
        start=f"""
import numpy as np
import onnxruntime
session = onnxruntime.InferenceSession({str(path)!r}, providers=["CPUExecutionProvider"])
session.run(None, {{{name!r}: {_zeros(network)}}})
""",
        needs="Python, NumPy, onnxruntime",
        packages=("onnxruntime",),
        model_bytes=path.stat().st_size,
    )


_TORCH = """
import numpy as np
import torch
from torch.nn import Linear, ReLU, Sequential, Softmax
network = Sequential({layers})
"""


def torch(network: Network) -> Way:
    """PyTorch, eager, in inference mode."""
    _require("torch")
    import torch

    torch.set_num_threads(1)
    *hidden, last = [f"Linear{pair}" for pair in pairwise(network.widths)]
    layers = [*(f"{one}, ReLU()" for one in hidden), last, "Softmax(dim=1)"]
    build = _TORCH.format(layers=", ".join(layers))
    names: dict[str, Any] = {}
    exec(build, names)
    module = names["network"].eval()
    with torch.no_grad():
        for linear, (weight, bias) in zip(module[::2], network.layers, strict=False):
            linear.weight.copy_(torch.from_numpy(weight.T.copy()))
            linear.bias.copy_(torch.from_numpy(bias.copy()))
    path = network.subfolder("torch") / "model.pt"
    torch.save(module.state_dict(), path)

    def predict(x: Array) -> Array:
        with torch.inference_mode():
            return module(torch.from_numpy(x)).numpy()

    return Way(
        predict=predict,
        one_by_one=_each(predict, network.rows[:, np.newaxis]),
        start=build
        + f"""
network.load_state_dict(torch.load({str(path)!r}))
with torch.inference_mode():
    network(torch.from_numpy({_zeros(network)})).numpy()
""",
        needs="Python, NumPy, PyTorch",
        packages=("numpy", "torch"),
        model_bytes=path.stat().st_size,
    )


def keras(network: Network) -> Way:
    """Keras 3 on JAX, by ``predict_on_batch``."""
    _require("keras", "jax")
    os.environ.setdefault("KERAS_BACKEND", "jax")
    import keras

    *hidden, last = network.widths[1:]
    model = keras.Sequential(
        [
            keras.Input((network.n_features,)),
            *(keras.layers.Dense(width, "relu") for width in hidden),
            keras.layers.Dense(last, "softmax"),
        ]
    )
    for layer, weights in zip(model.layers, network.layers, strict=True):
        layer.set_weights([array.copy() for array in weights])
    path = network.subfolder("keras") / "model.keras"
    model.save(path)
    return Way(
        predict=model.predict_on_batch,
        one_by_one=_each(model.predict_on_batch, network.rows[:, np.newaxis]),
        start=f"""
import os
os.environ["KERAS_BACKEND"] = "jax"
import numpy as np
import keras
keras.models.load_model({str(path)!r}).predict_on_batch({_zeros(network)})
""",
        needs="Python, NumPy, Keras, JAX",
        packages=("keras", "jax"),
        model_bytes=path.stat().st_size,
    )


def _zeros(network: Network) -> str:
    return _ZEROS.format(n=network.n_features)


WAYS: dict[str, Callable[[Network], Way]] = {
    "C, math.h": lambda network: c_float(network, "math.h"),
    "C, inline": lambda network: c_float(network, "inline"),
    "C, int8": c_int8,
    "Predictor, numba": lambda network: predictor(network, "numba"),
    "Predictor, NumPy": lambda network: predictor(network, "numpy"),
    "Python file": python_file,
    "emlearn": emlearn,
    "onnxruntime": onnxruntime,
    "PyTorch": torch,
    "Keras on JAX": keras,
    "scikit-learn": sklearn,
}
"""By the name that tables give them; those with C come first."""


def versions() -> str:
    """Of the libraries that are measured."""
    found = {
        "NumPy": "numpy",
        "numba": "numba",
        "emlearn": "emlearn",
        "onnxruntime": "onnxruntime",
        "PyTorch": "torch",
        "Keras": "keras",
        "JAX": "jax",
        "scikit-learn": "scikit-learn",
    }
    modules = {"scikit-learn": "sklearn"}
    return ", ".join(
        f"{title} {version(name)}"
        for title, name in found.items()
        if find_spec(modules.get(name, name)) is not None
    )
