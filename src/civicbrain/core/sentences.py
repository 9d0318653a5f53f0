"""Sentences for people that each reads in their own language."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec


class Sentence(msgspec.Struct, frozen=True):
    """key: its name in the control room's catalogues; values: what stands in it, by name, in the platform's
    units; text: the whole in English, for records, mail and whoever does not know the key."""

    key: str
    text: str
    values: dict[str, str | float] = {}

    def __str__(self) -> str:
        return self.text


def say(key: str, text: str, **values: str | float) -> Sentence:
    """A sentence with its values; figures to a tenth, which is more than people read."""
    rounded = {name: round(v, 1) if isinstance(v, float) else v for name, v in values.items()}
    return Sentence(key, text, rounded)


def both(title: Sentence | str, detail: Sentence | str) -> tuple[Sentence, ...]:
    """Title and detail as far as they are sentences; a detail never without its title."""
    if not isinstance(title, Sentence):
        return ()
    return (title, detail) if isinstance(detail, Sentence) else (title,)


def in_english(sentences: Iterable[Sentence | str]) -> list[str]:
    """What people wrote, or an earlier version kept, is text already."""
    return [str(one) for one in sentences]
