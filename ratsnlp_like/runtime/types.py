"""Names of array types for annotations, without importing torch or numpy.

Modules whose classes become flags take them from here: jsonargparse executes the `if TYPE_CHECKING:` blocks of
such modules, and `--help` would wait for torch.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy import ndarray as Array
    from numpy.random import Generator as Noise
    from torch import Tensor
else:
    Array = Noise = Tensor = Any

__all__ = ["Array", "Noise", "Tensor"]
