"""In: values. Out: percentiles by the stated definition, None where there is nothing to tell."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.bench.percentile import percentile, summary


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60), st.floats(0, 100))
def test_definition_7(values: list[float], level: float) -> None:
    assert percentile(values, level) == pytest.approx(float(np.percentile(values, level)), rel=1e-9, abs=1e-6)


def test_nothing_has_no_percentile() -> None:
    assert percentile([], 50) is None
    assert summary("x_ms", [None, None]) == {"x_ms.p50": None, "x_ms.p95": None, "x_ms.p99": None}


def test_missing_values_are_no_zeros() -> None:
    assert summary("x_ms", [None, 10.0, 20.0])["x_ms.p50"] == 15.0
