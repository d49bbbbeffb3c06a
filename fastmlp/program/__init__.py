"""A network as data: operations over named slots, and the vectors that training changes.

In: what `network` builds. Out: `Program`, `InferenceProgram`, `State`, `Weights`.
May not know: the layers that it was built from, or which runner carries it out.
"""
