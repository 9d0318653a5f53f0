"""Grouped extremes against the plain loops that they stand for."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from civicbrain.brains.signals.owners import Owners, Spans

values = st.floats(-1e6, 1e6)


@given(st.lists(st.tuples(st.integers(0, 5), values), max_size=30))
def test_least_and_greatest_of_each_owner(rows) -> None:
    owner = [row[0] for row in rows]
    value = np.array([row[1] for row in rows], dtype=np.float64)
    owners = Owners(owner, 7)
    floor = np.linspace(-10.0, 10.0, 7)
    least, raised = owners.least(value, np.inf), owners.raise_to_greatest(floor, value)
    for one in range(7):
        mine = [v for o, v in rows if o == one]
        assert least[one] == min(mine, default=np.inf)
        assert raised[one] == max([floor[one], *mine])
    assert (floor == np.linspace(-10.0, 10.0, 7)).all()


@given(st.lists(st.lists(st.integers(-3, 3), max_size=4), min_size=1, max_size=8))
def test_best_is_the_first_of_equals_and_empty_spans_have_none(spans) -> None:
    start = np.concatenate(([0], np.cumsum([len(span) for span in spans]))).astype(np.int32)
    flat = np.array([value for span in spans for value in span], dtype=np.float64)
    expected = [int(start[i]) + span.index(max(span)) if span else -1 for i, span in enumerate(spans)]
    assert Spans(start).best(flat).tolist() == expected
