"""Powers of two that do not depend on the platform."""

import math
from fractions import Fraction

import numpy as np
import pytest

from gsr.counters.items.decay import exp2_fraction, power_of_two


def test_as_good_as_the_library() -> None:
    """The polynomial is within two units in the last place."""
    for fraction in np.linspace(0.0, 1.0, 10_001)[:-1].tolist():
        assert exp2_fraction(fraction) == pytest.approx(2.0**fraction, rel=2**-51)


@pytest.mark.parametrize(
    ("fraction", "bits"),
    [
        (0.0, "0x1.0000000000000p+0"),
        (0.1, "0x1.125fbee250664p+0"),
        (0.5, "0x1.6a09e667f3bccp+0"),
        (0.9, "0x1.ddb680117ab12p+0"),
    ],
)
def test_golden_bits(fraction: float, bits: str) -> None:
    """State written elsewhere means the same here: these bits may never change."""
    assert exp2_fraction(fraction).hex() == bits


def test_a_monotonous_curve() -> None:
    """A later click never counts less than an earlier one."""
    values = [exp2_fraction(i / 4096) for i in range(4096)]
    assert values == sorted(values)
    assert values[-1] < 2.0


def test_whole_powers_are_exact() -> None:
    """Moving a reference loses nothing."""
    for exponent in range(-1022, 1024):
        assert Fraction(power_of_two(exponent)) == Fraction(2) ** exponent
    assert power_of_two(-1023) == 0.0
    assert power_of_two(-(10**12)) == 0.0
    assert math.isfinite(power_of_two(10**12))
