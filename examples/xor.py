"""XOR, the smallest problem that needs a hidden layer, by four hidden units: relu and tanh.

A relu unit whose sum is negative for all four rows is dead: it passes nothing on and no gradient
back, so it stays dead. Four units are few, and with some first weights too few of them live. tanh
units do not die. `fm.Recorder` warns of dead units.

Run it with ``python examples/xor.py``.
"""

from __future__ import annotations

import warnings

import numpy as np

import fastmlp as fm

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
y = np.array([0, 1, 1, 0])

for activation in ("relu", "tanh"):
    solved, errors, failures = 0, [], []
    for seed in range(10):
        model = fm.Sequential(
            [fm.Dense(4, activation=activation), fm.Dense(1, activation="sigmoid")],
            optimizer=fm.Adam(0.01),
            random_state=seed,
        )
        model.fit(X, y, epochs=5000, batch_size=None, verbose=0)
        outputs = model.predict(X)[:, 0]
        errors.append(np.abs(outputs - y).max())
        if errors[-1] < 0.5:
            solved += 1
            continue

        # One more epoch, watched, shows the state that training has ended in.
        recorder = fm.Recorder()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", fm.TrainingWarning)
            model.fit(X, y, epochs=1, batch_size=None, callbacks=[recorder], verbose=0)
        failures.append((seed, outputs, recorder.warnings))

    print(f"{activation}: {solved} of 10 seeds solve it")
    if not failures:
        print(f"  each output is within {max(errors):.4f} of its target")
    for seed, outputs, notes in failures:
        print(f"  seed {seed}: outputs {np.round(outputs, 2)} for {y}")
        for note in notes:
            print(f"    {note}")
