"""What a frozen network can be written as: a C header, a Python file, an ONNX graph."""
