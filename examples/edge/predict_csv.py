"""Predict rows of CSV by ``model.py`` of a folder: ``python predict_csv.py FOLDER < rows.csv``.

This is the program for the device: it imports NumPy, ``model.py`` and the standard library. Each
line of output holds the label, then all outputs.
"""

from __future__ import annotations

import sys

import numpy as np

sys.path.insert(0, sys.argv[1])
import model

rows = np.loadtxt(sys.stdin, delimiter=",", ndmin=2)
for label, outputs in zip(model.predict_classes(rows), model.predict(rows), strict=True):
    print(label, *outputs, sep=",")
