"""Schedules: their shape, not only their values."""

import pytest

from langnet.errors import LangnetError
from langnet.transfer.schedule import ScheduleConfig


def test_slanted_triangle_is_the_published_one():
    schedule = ScheduleConfig("slanted-triangular", warmup=0.1, floor=1 / 32)
    for t in range(101):  # Howard & Ruder 2018, equation 3, with cut_frac 0.1 and ratio 32
        p = t / 10 if t < 10 else 1 - (t - 10) / (10 * (1 / 0.1 - 1))
        assert schedule.factor(t / 100) == pytest.approx((1 + p * 31) / 32)


def test_trapezoid_is_flat_then_falls_to_zero():
    schedule = ScheduleConfig("trapezoid", warmup=0.1, decay=0.5)
    assert schedule.factor(0.05) == pytest.approx(0.5)
    assert schedule.factor(0.1) == schedule.factor(0.5) == 1
    assert schedule.factor(1.0) == 0


def test_unknown_name_is_said():
    with pytest.raises(LangnetError, match="no schedule 'cos'"):
        ScheduleConfig("cos").factor(0.5)
