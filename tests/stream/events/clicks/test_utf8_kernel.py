"""The kernels' UTF-8 is Python's."""

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stream.events.clicks.utf8_kernel import is_utf8


@settings(max_examples=1000, deadline=None)
@given(
    st.lists(
        st.binary(max_size=4)
        | st.text(max_size=2).map(lambda text: text.encode("utf-8", "surrogatepass"))
    ).map(b"".join)
)
@example(b"\xf0\x8f\xbf\xbf")
@example(b"\xf4\x90\x80\x80")
@example(b"\xe0\x9f\xbf")
@example(b"\xed\xa0\x80")
def test_utf8_is_what_python_says(data: bytes) -> None:
    """Bytes are UTF-8 exactly where Python decodes them."""
    try:
        data.decode()
        expected = True
    except UnicodeDecodeError:
        expected = False
    assert is_utf8(np.frombuffer(data, dtype=np.uint8), 0, len(data)) == expected
