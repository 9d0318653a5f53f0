"""What was told stands until something else has held for some seconds."""

from __future__ import annotations

from dataclasses import dataclass

from civicbrain.runtime.steady import FORGOTTEN_S, STANDS_S, Steady


@dataclass(frozen=True)
class Said:
    what: str
    figure: float = 0.0

    @property
    def identity(self):
        return (self.what,)


def told(steady, sequence, from_s=0.0):
    return [steady.keep(1, Said(what), from_s + k).what for k, what in enumerate(sequence)]


def test_what_flips_each_few_seconds_is_told_once():
    flips = [("full road" if second // 4 % 2 else "demand") for second in range(120)]
    assert set(told(Steady(), flips)) == {"demand"}


def test_what_has_held_for_some_seconds_is_told_then_and_not_before():
    said = told(Steady(), ["demand"] * 5 + ["full road"] * 30)
    assert said.index("full road") == 5 + int(STANDS_S)
    assert set(said[5 + int(STANDS_S) :]) == {"full road"}


def test_another_challenger_begins_anew():
    said = told(Steady(), ["demand"] * 3 + ["full road"] * 10 + ["uneven"] * 10)
    assert set(said) == {"demand"}


def test_its_figures_are_the_newest_and_places_stand_for_themselves():
    steady = Steady()
    steady.keep(1, Said("demand", 3.0), 0.0)
    assert steady.keep(1, Said("demand", 5.0), 1.0).figure == 5.0
    assert steady.keep(2, Said("uneven"), 1.0).what == "uneven"


def test_two_looks_in_one_second_count_once_and_what_nobody_looked_at_is_told_anew():
    steady = Steady()
    assert [steady.keep(1, Said(what), 7.0).what for what in ("demand", "full road", "full road")] == [
        "demand"
    ] * 3
    assert steady.keep(1, Said("full road"), 8.0 + FORGOTTEN_S).what == "full road"
    assert steady.keep(1, Said("demand"), 2.0).what == "demand"  # the clock went back
