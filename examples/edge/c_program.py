"""Which iris is it? A network trained here, compiled into a C program that reads CSV.

The scaler is folded into the first layer, so the program takes centimeters as they were measured.
It needs scikit-learn for the data, and a C compiler (on Debian: ``apt install gcc libc6-dev``). Run
it with ``python examples/edge/c_program.py``; it writes ``outputs/edge/c/``.
"""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import fastmlp as fm

compiler = shutil.which("cc")
if compiler is None:
    sys.exit("this needs a C compiler named cc; on Debian: apt install gcc libc6-dev")

data = load_iris()
X, y = data.data.astype(np.float32), data.target_names[data.target]
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
scaler = StandardScaler().fit(X_train)

model = fm.Sequential(
    [fm.Dense(16, activation="relu"), fm.BatchNorm(), fm.Dense(3, activation="softmax")],
    optimizer=fm.Adam(0.01),
    random_state=0,
)
model.fit(scaler.transform(X_train), y_train, epochs=100, batch_size=16, verbose=0)

folder = Path("outputs") / "edge" / "c"
folder.mkdir(parents=True, exist_ok=True)
model.freeze(scaler=scaler).export_c(folder / "model.h")
program = folder / "predict_csv"
source = Path(__file__).parent / "predict_csv.c"
command = [compiler, "-std=c99", "-O3", f"-I{folder}", str(source), "-o", str(program), "-lm"]
print(" ".join(command))
subprocess.run(command, check=True)

# Nine digits tell every float32 apart.
np.savetxt(folder / "rows.csv", X_test, fmt="%.9g", delimiter=",")
with (folder / "rows.csv").open() as rows:
    done = subprocess.run([program], stdin=rows, stdout=subprocess.PIPE, check=True, text=True)
lines = list(csv.reader(done.stdout.splitlines()))
labels = np.array([label for label, *_ in lines])
probabilities = np.array([numbers for _, *numbers in lines], dtype=np.float32)

print(f"\n{'centimeters':21} {'right':11} {'predicted':11} probability")
for row, right, label, outputs in zip(X_test[:5], y_test, labels, probabilities, strict=False):
    print(f"{np.array2string(row):21} {right:11} {label:11} {outputs.max():.4f}")

expected = scaler.transform(X_test)
same = np.array_equal(labels, model.predict_classes(expected))
difference = abs(probabilities - model.predict(expected)).max()
print(f"\n{(labels == y_test).sum()} of {len(y_test)} test rows are right")
print(f"labels as model.predict_classes gives them: {same}")
print(f"largest difference from model.predict: {difference:.1e}")
