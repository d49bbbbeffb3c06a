"""How a network is trained for a table, which one, from where on, and estimators that do it.

In: frames, or rows of prepared numbers, and what they are to give. Out: trained networks behind a
preparation, in files and as programs, and how they did.
May not know: the command line. scikit-learn is needed for the estimators alone.
"""
