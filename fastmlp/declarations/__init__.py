"""Choices of users by name: activations, losses, optimizers, schedules, initializers.

In: a name, an object or a registered function. Out: frozen declarations, which name their kernels.
May not know: which network, program or backend uses them.
"""
