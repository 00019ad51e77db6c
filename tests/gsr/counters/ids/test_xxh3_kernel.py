"""XXH3-64 in kernels, beside the library's."""

import numpy as np
import pytest
from xxhash import xxh3_64_intdigest

from gsr.counters.ids.xxh3_kernel import LONGEST, xxh3


@pytest.mark.parametrize("seed", [0, 1, 2**63 + 12_345])
def test_xxh3_is_that_of_the_library(seed: int) -> None:
    """Every length, at even and odd places, hashes to what `xxhash` says."""
    data = np.random.default_rng(0).integers(0, 256, 2 * LONGEST, dtype=np.uint8)
    for length in range(LONGEST + 1):
        for start in (0, 7):
            expected = xxh3_64_intdigest(data[start : start + length].tobytes(), seed)
            assert int(xxh3(data, start, length, np.uint64(seed))) == expected
