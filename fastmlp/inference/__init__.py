"""Prediction without training code: frozen networks, their files, the scalers before them.

In: a state or a file. Out: a `Predictor`.
May not know: optimizers, epochs, the model that was frozen.
"""
