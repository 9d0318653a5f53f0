"""What brains said of a junction, when, and which of them is heard."""

from __future__ import annotations

from civicbrain.runtime.explanations import Explained, Explanations, read_words


def test_the_words_of_the_brain_that_is_asked_for_come_with_their_second():
    heard = Explanations()
    heard.take("signals", {"A": {"chosen": "main"}, "B": {"chosen": "side"}}, 100.0)
    heard.take("priority", {"A": {"mission": "m-1"}}, 101.0)
    heard.take("signals", {"B": {"chosen": "main"}}, 102.0)  # of A it says nothing any more
    assert heard.find("A", "signals") == ("signals", 100.0, {"chosen": "main"})
    assert heard.find("B", "signals") == ("signals", 102.0, {"chosen": "main"})
    assert heard.find("A", "operator").brain == "priority"  # who never spoke: the newest of any
    assert heard["A"] == {"mission": "m-1"}
    assert heard.find("Z") is None
    assert dict(heard) == {"A": {"mission": "m-1"}, "B": {"chosen": "main"}}
    heard.clear()
    assert heard == {}


def test_what_cannot_be_read_is_left_out():
    assert read_words({"schedule": "soon"}) == Explained()
    assert read_words({"chosen": "main", "weather": 3}).chosen == "main"
