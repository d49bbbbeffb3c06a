"""XOR, the smallest problem that needs a hidden layer, by four hidden units: relu and tanh.

Four relu units are few. Rows on which each of them is 0 look the same to the output, which then
gives them all the mean of their targets, and no gradient leads out of that. Mostly this is because
units are dead, 0 on every row; `fm.Recorder` warns of them. tanh units are 0 almost nowhere.

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
        if errors[-1] < 0.1:
            solved += 1
            continue

        # One more epoch, watched, shows the state that training has ended in.
        recorder = fm.Recorder()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", fm.TrainingWarning)
            model.fit(X, y, epochs=1, batch_size=None, callbacks=[recorder], verbose=0)
        silent = np.flatnonzero((model.activations(X)["0.output"] == 0).all(axis=1))
        failures.append((seed, outputs, silent, recorder.warnings))

    print(f"{activation}: {solved} of 10 seeds solve it")
    if not failures:
        print(f"  each output is within {max(errors):.4f} of its target")
    for seed, outputs, silent, notes in failures:
        print(f"  seed {seed}: outputs {outputs.round(2)}; all units are 0 on rows {silent}")
        for note in notes:
            print(f"    {note}")
