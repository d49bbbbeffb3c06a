"""Helpers with no knowledge of networks: checks of arguments, declarations as JSON, files.

In: values and paths as users give them. Out: checked values, or one clear error; whole files.
May not know: arrays of training data, layers, programs.
"""
