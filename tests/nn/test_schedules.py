"""Schedules: both ends, monotony, and what each is the solution of."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refmarl.check import InputError
from refmarl.nn.schedules import constant, cosine, exponential, linear, warm_up

STEPS = st.integers(1, 50)
NUMBERS = st.floats(0.01, 10.0)
TO_AN_END = pytest.mark.parametrize("schedule", [linear, cosine, exponential])


@TO_AN_END
@given(STEPS, NUMBERS, NUMBERS)
def test_from_first_to_last_without_turning_back_and_then_no_further(schedule, steps, first, last):
    values = [schedule(k, steps, first, last) for k in range(steps + 3)]
    assert values[0] == first
    assert values[steps:] == [last] * 3
    rising = last > first
    for before, after in pairwise(values):
        assert (after - before) * (1 if rising else -1) >= -1e-12


@given(st.integers(2, 50), NUMBERS, NUMBERS)
def test_equal_differences_equal_factors_equal_angles(steps, first, last):
    line = [linear(k, steps, first, last) for k in range(steps + 1)]
    power = [exponential(k, steps, first, last) for k in range(steps + 1)]
    wave = [cosine(k, steps, first, last) for k in range(steps + 1)]
    for k in range(1, steps):
        assert line[k + 1] + line[k - 1] == pytest.approx(2 * line[k], abs=1e-9)
        assert power[k + 1] * power[k - 1] == pytest.approx(power[k] ** 2, rel=1e-9)
        assert wave[k] + wave[steps - k] == pytest.approx(first + last, abs=1e-9)  # odd about ½
    # slowest at both ends: the first step of a cosine is no longer than that of the line
    assert abs(wave[1] - first) <= abs(line[1] - first) + 1e-12
    assert linear(steps // 2, 2 * (steps // 2), first, last) == pytest.approx((first + last) / 2)


@given(STEPS, NUMBERS)
def test_warming_up_reaches_the_value_at_its_last_step_and_starts_above_zero(steps, value):
    values = [warm_up(k, steps, value) for k in range(steps + 2)]
    assert values[0] == pytest.approx(value / steps)
    assert values[steps - 1 :] == [value] * 3
    assert sorted(values) == values
    assert warm_up(0, 0, value) == value == constant(7, value)


@TO_AN_END
def test_ranges_are_checked(schedule):
    with pytest.raises(InputError, match="step: need"):
        schedule(-1, 3, 1.0, 0.5)
    with pytest.raises(InputError, match="steps: need"):
        schedule(0, 0, 1.0, 0.5)


def test_ranges_of_the_others_are_checked():
    with pytest.raises(InputError, match="one sign"):
        exponential(0, 3, 1.0, 0.0)
    with pytest.raises(InputError, match="one sign"):
        exponential(0, 3, 1.0, -1.0)
    with pytest.raises(InputError, match="steps: need"):
        warm_up(0, -1, 1.0)
    with pytest.raises(InputError, match="step: need"):
        warm_up(-1, 1, 1.0)
    with pytest.raises(InputError, match="step: need"):
        constant(-1, 1.0)
