"""Drop-in estimators: scikit-learn's multilayer perceptrons, trained and computed by this library.

In: what scikit-learn's users pass. Out: fitted attributes and predictions as theirs.
May not know: how a program is run, nor who reads fitted estimators. scikit-learn is needed here.
"""

from ..errors import missing_extra

try:
    import sklearn as sklearn
except ImportError as error:
    raise missing_extra("scikit-learn", "sklearn") from error
