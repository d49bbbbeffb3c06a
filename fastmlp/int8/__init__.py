"""Networks in integers of 8 bits: calibration, quantization, and a simulator of the exported C.

In: a frozen program and calibration rows. Out: a `QuantizedPredictor`.
May not know: training, models, the text of exports.
"""
