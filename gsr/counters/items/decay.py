"""Powers of two that come out the same, to the last bit, on every platform.

The C library's ``exp2`` may differ in the last bit between platforms and releases; state must
not. Here only additions and multiplications of float64 decide, which IEEE 754 fixes.
"""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.compiled import inner_kernel, lean_kernel

# Coefficients ln(2)**k / k! of the Taylor series of 2**f; |f| <= 1/2 leaves an error below 1e-17.
_C1: Final = 0.6931471805599453
_C2: Final = 0.24022650695910072
_C3: Final = 0.05550410866482158
_C4: Final = 0.009618129107628477
_C5: Final = 0.0013333558146428443
_C6: Final = 0.0001540353039338161
_C7: Final = 1.5252733804059841e-05
_C8: Final = 1.3215486790144308e-06
_C9: Final = 1.0178086009239699e-07
_C10: Final = 7.054911620801121e-09
_C11: Final = 4.4455382718708116e-10
_C12: Final = 2.5678435993488202e-11
_C13: Final = 1.3691488853904128e-12

_SMALLEST_EXPONENT: Final = -1022
_LARGEST_EXPONENT: Final = 1023
_POWERS: Final = 2.0 ** np.arange(_SMALLEST_EXPONENT, _LARGEST_EXPONENT + 1)


@lean_kernel
def exp2_fraction(fraction: float) -> float:
    """Return ``2 ** fraction`` for a fraction in [0, 1).

    Examples
    --------
    >>> exp2_fraction(0.0)
    1.0
    """
    f = fraction
    scale = 1.0
    if f >= 0.5:  # noqa: PLR2004 -- the middle of the range
        f -= 1.0
        scale = 2.0
    p = _C13
    p = p * f + _C12
    p = p * f + _C11
    p = p * f + _C10
    p = p * f + _C9
    p = p * f + _C8
    p = p * f + _C7
    p = p * f + _C6
    p = p * f + _C5
    p = p * f + _C4
    p = p * f + _C3
    p = p * f + _C2
    p = p * f + _C1
    p = p * f + 1.0
    return p * scale


@lean_kernel
def power_of_two(exponent: int) -> float:
    """Return ``2.0 ** exponent`` exactly; out of the range of normal float64 0 or 2**1023.

    Examples
    --------
    >>> power_of_two(-3)
    0.125
    """
    if exponent < _SMALLEST_EXPONENT:
        return 0.0
    return _POWERS[min(exponent, _LARGEST_EXPONENT) - _SMALLEST_EXPONENT]  # type: ignore[no-any-return] # an element


@inner_kernel
def split_scales(
    time: float,
    half_lives: npt.NDArray[np.float64],
    first: int,
    whole: npt.NDArray[np.int64],
    fraction: npt.NDArray[np.float64],
) -> None:
    """Split a time into whole half-lives and two to the power of the rest.

    Parameters
    ----------
    time, half_lives
        Seconds, and float64 [n], seconds.
    first
        Where in the others the first scale goes.
    whole, fraction
        int64 and float64, filled from `first` on.
    """
    for s in range(len(half_lives)):
        age = time / half_lives[s]
        floor = math.floor(age)
        whole[first + s] = floor
        fraction[first + s] = exp2_fraction(age - floor)
