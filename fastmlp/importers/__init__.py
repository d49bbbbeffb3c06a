"""Networks of other libraries as models: scikit-learn, and the way from any graph to layers.

In: an object or a file of another library. Out: a `Sequential` that predicts the same.
May not know: how models are trained or exported here.
"""
