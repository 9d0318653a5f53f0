"""What the platform says to people, the control room says too: every key in three languages, one wording."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from civicbrain.city.incidents import IncidentKind

ROOT = Path(__file__).parents[1]
SRC = ROOT / "src" / "civicbrain"
CATALOGUES = ROOT / "web" / "src" / "alerts" / "text"
FAMILIES = {
    "incident-": [f"incident-{kind}" for kind in IncidentKind],
    "camera-": [f"camera-{fault}" for fault in ("silent", "blind", "frozen", "phantom", "inflated")],
}
"""Keys that are put together: the start that a call writes, and what comes of it."""

_ENTRY = re.compile(r"^\s+'?([\w-]+)'?: \([^)]*\) =>\s*(.*),$", re.MULTILINE)


def entries(language: str) -> dict[str, str]:
    """Key -> the code that says it."""
    text = (CATALOGUES / f"{language}.ts").read_text()
    begin = text.index("sentences")
    return dict(_ENTRY.findall(text[begin : text.index("\n}", begin)]))


def calls() -> Iterator[tuple[str, ast.Call]]:
    """(file, call) of `say` where it is that of core/sentences.py."""
    for path in sorted(SRC.rglob("*.py")):
        text = path.read_text()
        if "core.sentences import" not in text or "say" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say":
                yield str(path.relative_to(SRC)), node


def keys_of(call: ast.Call) -> list[str]:
    """The keys that a call may say."""
    key = call.args[0]
    if isinstance(key, ast.Constant):
        return [str(key.value)]
    if isinstance(key, ast.JoinedStr) and isinstance(key.values[0], ast.Constant):
        return FAMILIES[str(key.values[0].value)]
    if isinstance(key, ast.IfExp):
        return [str(one.value) for one in (key.body, key.orelse) if isinstance(one, ast.Constant)]
    pytest.fail(f"line {call.lineno}: a key that this test cannot read: {ast.unparse(key)}")


def test_there_are_sentences_to_check() -> None:
    assert len(list(calls())) > 25
    assert len(entries("en")) > 40


@pytest.mark.parametrize("language", ["en", "ko", "zh"])
def test_every_sentence_of_the_platform_is_in_the_catalogue(language: str) -> None:
    known = entries(language)
    missing = [(file, key) for file, call in calls() for key in keys_of(call) if key not in known]
    assert missing == []


def test_what_records_say_in_english_is_what_the_page_says() -> None:
    """One wording for one fact: `The twin is silent` in a note beside `The twin does not answer` on the page
    reads as two."""
    known, differ = entries("en"), []
    for file, call in calls():
        text = call.args[1]
        for key in keys_of(call):
            said = re.fullmatch(r"'(.*)'", known.get(key, ""))
            if said and isinstance(text, ast.Constant) and _plain(str(text.value)) != _plain(said[1]):
                differ.append((file, key, text.value, said[1]))
    assert differ == []


def _plain(text: str) -> str:
    """Titles stand alone, details as sentences."""
    text = text.strip().removesuffix(".").replace("’", "'")
    return text[:1].upper() + text[1:]
