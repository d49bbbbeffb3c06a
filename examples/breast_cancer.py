"""Is a tumor malignant? Two classes from thirty numbers, with early stopping.

The data set (UCI, Wisconsin Diagnostic) comes with scikit-learn. Run it with
``python examples/breast_cancer.py``; it writes ``outputs/breast_cancer.safetensors``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import fastmlp as fm

data = load_breast_cancer()
# Of two labels the second in sorted order is the one that is looked for: here "malignant".
y = data.target_names[data.target]
X_train, X_test, y_train, y_test = train_test_split(
    data.data, y, test_size=0.25, stratify=y, random_state=0
)
scaler = StandardScaler().fit(X_train)
X_train, X_test = scaler.transform(X_train), scaler.transform(X_test)

model = fm.Sequential(
    [
        fm.Dense(32, activation="relu"),
        fm.Dropout(0.2),
        fm.Dense(1, activation="sigmoid"),
    ],
    optimizer=fm.Adam(1e-3),
    random_state=0,
)
stopping = fm.EarlyStopping(patience=20)
history = model.fit(
    X_train,
    y_train,
    epochs=500,
    batch_size=32,
    validation_split=0.2,
    callbacks=[stopping],
    verbose=0,
)
print(
    f"{len(history)} epochs in {sum(history['seconds']):.2f} s; "
    f"the weights are those of epoch {stopping.best_epoch}\n"
)

metrics = model.evaluate(X_test, y_test)
for name in ("loss", "accuracy", "precision", "recall", "f1", "roc_auc"):
    print(f"{name:10} {metrics[name]:.4f}")

labels = ["benign", "malignant"]
counts = confusion_matrix(y_test, model.predict_classes(X_test), labels=labels)
print("\ntest rows              predicted benign  predicted malignant")
for label, (benign, malignant) in zip(labels, counts, strict=True):
    print(f"{label:22} {benign:16} {malignant:20}")

path = Path("outputs") / "breast_cancer.safetensors"
path.parent.mkdir(exist_ok=True)
model.save(path)
same = np.array_equal(fm.load(path).predict(X_test), model.predict(X_test))
print(f"\nwritten: {path}; loaded again it predicts the same: {same}")
