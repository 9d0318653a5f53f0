"""Configuration: a wrong key names the file, the place and the remedy."""

from __future__ import annotations

import pytest

from civicbrain.contracts.brain import Priority
from civicbrain.core.errors import ConfigurationError
from civicbrain.runtime.configuration import RunConfiguration, load_configuration


def load(tmp_path, text):
    path = tmp_path / "civicbrain.toml"
    path.write_text(text)
    return load_configuration(path)


def test_everything_has_a_default(tmp_path):
    assert load(tmp_path, "") == RunConfiguration()


def test_values_are_read(tmp_path):
    found = load(
        tmp_path,
        """
        [run]
        control = "fixed"
        [api]
        tile_url = "https://tiles.example.org/{z}/{x}/{y}.png"
        [guard]
        max_lifetime_s = 10
        priorities = { buses = "transit" }
        [brains.signals]
        enabled = false
        options = { max_red_s = 90 }
        """,
    )
    assert found.run.control == "fixed"
    assert found.brain_options("signals") == {"max_red_s": 90}
    assert found.brain_options("other") == {}
    assert not found.brains["signals"].enabled
    options = found.guard.options()
    assert options.max_lifetime_s == 10
    assert options.priorities == {
        "buses": Priority.TRANSIT,
        "priority": Priority.EMERGENCY,
        "operator": Priority.OPERATOR,
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[run]\ncontrl = 'x'", ["'run.contrl'", "did you mean 'control'"]),
        ("[rum]\n", ["'rum'", "did you mean 'run'"]),
        ("[brains.signals]\nenable = true", ["'brains.signals.enable'", "did you mean 'enabled'"]),
        (
            "[zebra]\n",
            ["'zebra'", "api, brains, cases, feeds, guard, history, intake, login, notices, playback, run"],
        ),
        ("[twin]\ncoverage = 1.5", ["'twin.coverage'", "less than or equal to 1"]),
        ("[twin]\ncoverage = nan", ["'twin.coverage'", "finite"]),
        ("[twin]\nsensing = 'radar'", ["'twin.sensing'", "'camera' or 'oracle'"]),
        ("[api]\nport = 'http'", ["'api.port'", "integer"]),
        ("[api]\ntile_url = 'javascript:x'", ["'api.tile_url'", "{z}"]),
        ("[guard]\npriorities = { x = 'operator' }", ["priorities.x", "'emergency'"]),
        ("[brains.'Not A Slug']\n", ["'brains'", "slug"]),
        ("run = 3", ["'run'"]),
        ("[run\n", ["no TOML", "line 1"]),
    ],
)
def test_mistakes_name_file_place_and_remedy(tmp_path, text, words):
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, text)
    message = str(caught.value)
    assert "civicbrain.toml: " in message
    assert "remedy: " in message
    for word in words:
        assert word in message
    assert caught.value.exit_code == 2


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_configuration(tmp_path / "none.toml")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_configuration(tmp_path)
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationError, match="UTF-8"):
        load_configuration(tmp_path / "binary")
