"""Whether the page that is served is the one of these sources."""

from __future__ import annotations

from pathlib import Path

from civicbrain.runtime.page_stamp import STAMP, digest_of, is_stale


def test_a_page_of_other_sources_is_stale_until_it_is_built_again(tmp_path: Path) -> None:
    web, static = tmp_path / "web", tmp_path / "static"
    for folder in (web / "src", web / "dist", web / "node_modules", static):
        folder.mkdir(parents=True)
    (web / "package.json").write_text("{}")
    (web / "src" / "main.ts").write_text("1")
    assert not is_stale(static, tmp_path)  # nothing says what it was built from
    (static / STAMP).write_text(digest_of(web) + "\n")
    assert not is_stale(static, tmp_path)
    (web / "dist" / "main.js").write_text("built")
    (web / "node_modules" / "other.js").write_text("fetched")
    assert not is_stale(static, tmp_path)
    (web / "src" / "main.ts").write_text("2")
    assert is_stale(static, tmp_path)


def test_an_installed_package_has_no_sources_to_differ_from(tmp_path: Path) -> None:
    (tmp_path / STAMP).write_text("of the wheel")
    assert not is_stale(tmp_path, tmp_path)
