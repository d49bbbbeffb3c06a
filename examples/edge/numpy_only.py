"""Which cultivar was a wine made of? A network trained here, run where there is nothing but NumPy.

``export_python`` writes the network as one file that needs NumPy alone. ``predict_csv.py`` is the
program for the device; here it runs in a process that can import NumPy, the standard library and
that file, and nothing else. It needs scikit-learn for the data. Run it with
``python examples/edge/numpy_only.py``; it writes ``outputs/edge/numpy/``.
"""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import fastmlp as fm

ONLY_NUMPY = """
import runpy
import sys


class OnlyNumPy:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in {"numpy", "model", *sys.stdlib_module_names}:
            raise ModuleNotFoundError(f"{name} is not on the device", name=name)


sys.meta_path.insert(0, OnlyNumPy())
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""

data = load_wine()
X, y = data.data.astype(np.float32), data.target_names[data.target]
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
scaler = StandardScaler().fit(X_train)

model = fm.Sequential(
    [fm.Dense(32, activation="silu"), fm.Dropout(0.1), fm.Dense(3, activation="softmax")],
    optimizer=fm.Adam(0.01),
    random_state=0,
)
model.fit(scaler.transform(X_train), y_train, epochs=50, batch_size=16, verbose=0)

folder = Path("outputs") / "edge" / "numpy"
folder.mkdir(parents=True, exist_ok=True)
model.freeze(scaler=scaler).export_python(folder / "model.py")
np.savetxt(folder / "rows.csv", X_test, fmt="%.9g", delimiter=",")
print(f"{folder / 'model.py'}: {(folder / 'model.py').stat().st_size:,} bytes")

program = Path(__file__).parent / "predict_csv.py"
with (folder / "rows.csv").open() as rows:
    done = subprocess.run(
        [sys.executable, "-c", ONLY_NUMPY, program, folder],
        stdin=rows,
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
lines = list(csv.reader(done.stdout.splitlines()))
labels = np.array([label for label, *_ in lines])
probabilities = np.array([numbers for _, *numbers in lines], dtype=np.float32)

expected = scaler.transform(X_test)
same = np.array_equal(labels, model.predict_classes(expected))
difference = abs(probabilities - model.predict(expected)).max()
print(f"{(labels == y_test).sum()} of {len(y_test)} test rows are right")
print(f"labels as model.predict_classes gives them: {same}")
print(f"largest difference from model.predict: {difference:.1e}")
