"""Handwritten digits: MNIST's 60,000 training and 10,000 test images, as rows of 784 pixels.

scikit-learn downloads the data once into its data folder (the environment variable
SCIKIT_LEARN_DATA names another one). Run it with ``python examples/mnist.py``; reading the data
takes longer than training.
"""

from __future__ import annotations

import argparse

import numpy as np
from sklearn.metrics import confusion_matrix

import fastmlp as fm
from fastmlp import datasets

parser = argparse.ArgumentParser(description="Train on MNIST.")
parser.add_argument("--epochs", type=int, default=10, help="default: 10")
arguments = parser.parse_args()

try:
    data = datasets.load("mnist_784")
except OSError as error:
    print(f"skipped: {error}")
    raise SystemExit(0) from None

pixels = data.X / 255
X_train, y_train = pixels[:60_000], data.y[:60_000]
X_test, y_test = pixels[60_000:], data.y[60_000:]

model = fm.Sequential(
    [
        fm.Dense(128, activation="relu"),
        fm.Dropout(0.2),
        fm.Dense(64, activation="relu"),
        fm.Dense(10, activation="softmax"),
    ],
    optimizer=fm.Adam(fm.CosineDecay(2e-3, arguments.epochs)),
    random_state=0,
)
model.build(784)
model.summary()
history = model.fit(X_train, y_train, epochs=arguments.epochs, batch_size=64, verbose=2)
seconds = sum(history["seconds"])
print(f"\n{len(history)} epochs in {seconds:.2f} s, {seconds / len(history):.3f} s each\n")

metrics = model.evaluate(X_test, y_test)
print("on the test images")
for name in ("accuracy", "precision_macro", "recall_macro", "f1_macro", "log_loss"):
    print(f"  {name:16} {metrics[name]:.4f}")

counts = confusion_matrix(y_test, model.predict_classes(X_test), labels=data.target_names)
np.fill_diagonal(counts, 0)
print("\nmost often confused")
for place in counts.ravel().argsort()[::-1][:3]:
    digit, guess = divmod(int(place), 10)
    print(f"  {digit} taken for {guess}: {counts[digit, guess]} times")
