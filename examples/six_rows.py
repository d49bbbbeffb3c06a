"""Six rows, three classes: the corners of a hexagon, where opposite corners share a class.

No straight line keeps a class apart from the other two, so a network without a hidden layer cannot
learn this table. Eight hidden units can.

Run it with ``python examples/six_rows.py``.
"""

from __future__ import annotations

import numpy as np

import fastmlp as fm

angles = np.deg2rad([0, 60, 120, 180, 240, 300])
X = np.column_stack([np.cos(angles), np.sin(angles)])
y = np.array(["red", "green", "blue", "red", "green", "blue"])

model = fm.Sequential(
    [fm.Dense(8, activation="tanh"), fm.Dense(3, activation="softmax")],
    optimizer=fm.Adam(0.05),
    random_state=0,
)
history = model.fit(X, y, epochs=500, batch_size=None, verbose=0)

predicted = model.predict_classes(X)
probabilities = model.predict(X).max(axis=1)
print("     x1      x2  class  predicted  probability")
for (x1, x2), label, guess, probability in zip(X, y, predicted, probabilities, strict=True):
    print(f"{x1:7.3f} {x2:7.3f}  {label:5}  {guess:9}  {probability:11.4f}")
print(f"\n{(predicted == y).sum()} of {len(y)} rows are right, loss {history['loss'][-1]:.2g}")
