"""Tests of what an installed scikit-learn does not have yet are not collected."""

from __future__ import annotations

from importlib.util import find_spec

collect_ignore = [] if find_spec("sklearn.callback") else ["test_watchers_tasks.py"]
