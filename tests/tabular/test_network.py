"""The network of a table, in all forms that it is exported in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ran_programs import compiled_c  # noqa: F401

import fastmlp as fm
