"""Entries of documentation that classes share."""

from __future__ import annotations

from fastmlp.common.inherited_docs import inherits_entries

SHARED = """\
Parameters
----------
size : int
    Of both.

    In two paragraphs.
low, high : float
    Bounds.

Attributes
----------
size_ : int
"""


@inherits_entries(SHARED)
class Derived:
    """One of them.

    Parameters
    ----------
    name : str
        Its own.

    Attributes
    ----------
    name_ : str

    Notes
    -----
    These stay.
    """

    def __init__(self, low: float, high: float, name: str, size: int) -> None:
        """Nothing is kept."""


def test_entries_stand_in_the_order_of_the_signature() -> None:
    assert Derived.__doc__ == (
        "One of them.\n\n"
        "Parameters\n----------\n"
        "low, high : float\n    Bounds.\n"
        "name : str\n    Its own.\n"
        "size : int\n    Of both.\n\n    In two paragraphs.\n\n"
        "Attributes\n----------\nname_ : str\nsize_ : int\n\n"
        "Notes\n-----\nThese stay.\n"
    )


def test_a_section_that_a_class_lacks_is_added() -> None:
    @inherits_entries(SHARED)
    class Plain:
        """Nothing of its own.

        Parameters
        ----------
        name : str
        """

        def __init__(self, name: str, size: int, low: float, high: float) -> None:
            """Nothing is kept."""

    assert Plain.__doc__ is not None
    assert Plain.__doc__.startswith(
        "Nothing of its own.\n\nParameters\n----------\nname : str\nsize"
    )
    assert Plain.__doc__.endswith("Bounds.\n\nAttributes\n----------\nsize_ : int\n")


def test_without_documentation_nothing_is_done() -> None:
    class Silent:
        pass

    Silent.__doc__ = None
    assert inherits_entries(SHARED)(Silent).__doc__ is None
