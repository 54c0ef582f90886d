"""The compiled passes through time against the definition in gru.py, which they replace."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from refmarl.kernels.gru import PANEL
from refmarl.nn import fused
from refmarl.nn.gru import GRU

pytestmark = pytest.mark.skipif(not fused.ENABLED, reason="no BLAS that kernels can call")


def outcomes(net, theta, x, h, starts, dh):
    """All that the two passes give, and what the tape keeps."""
    after, tape = net.forward(theta, x, h, starts)
    return after, *tape[1:6], *net.backward(theta, tape, dh)


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    lead=st.sampled_from([(), (1,), (2,), (2, 2)]),
    rows=st.sampled_from([(), (0,), (1,), (2, 3), (PANEL,), (PANEL + 1,), (2 * PANEL + 7,)]),
    sizes=st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(1, 4)),
    kind=st.sampled_from([np.float32, np.float64]),
)
@example(seed=0, lead=(), rows=(0,), sizes=(2, 3, 1), kind=np.float32)
@example(seed=0, lead=(2,), rows=(0,), sizes=(2, 3, 2), kind=np.float64)
def test_compiled_passes_are_the_definition(seed, lead, rows, sizes, kind):
    (inputs, units, steps), rng = sizes, np.random.default_rng(seed)
    net = GRU(inputs, units)
    theta = rng.normal(size=(*lead, net.size)).astype(kind)
    x, dh = (
        rng.normal(size=(*lead, steps, *rows, n)).astype(kind) for n in (inputs, units)
    )  # fmt: skip
    h, starts = (
        rng.normal(size=(*lead, *rows, units)).astype(kind),
        rng.random((steps, *rows)) < 0.3,
    )
    fast = outcomes(net, theta, x, h, starts, dh)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fused, "ENABLED", False)
        slow = outcomes(net, theta, x, h, starts, dh)
    near = 2e-3 if kind == np.float32 else 1e-9
    for mine, defined in zip(fast, slow, strict=True):
        assert mine.dtype == defined.dtype == kind
        assert_allclose(mine, defined, rtol=near, atol=near)
