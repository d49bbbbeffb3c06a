"""Calls of everything public, each with a result that can be compared: what contracts are tried on.

``CALLS`` has them by name; the modules ``called_*`` put them there, each those of a room or two.
"""

from __future__ import annotations

import called_importers as called_importers
import called_inspection as called_inspection
import called_kernels as called_kernels
import called_models as called_models
import called_predictors as called_predictors
import called_tables as called_tables
import called_training as called_training
from called import BACKENDS as BACKENDS
from called import CALLS as CALLS
from called import N as N
from called import X as X
from called import network as network
