"""Other processes killed, ports in use, folders that are none: said plainly, and recovered from."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import patient
import pytest
from api_place import Place, free_port

from civicbrain.api.server import main


@pytest.mark.slow
@pytest.mark.quiet
def test_backend_away_killed_and_back(place_of: Callable[[], Place]) -> None:
    place = place_of()
    place.start_api("--stale-after", "1.5")
    place.wait_until(lambda health: health["status"] == "degraded")
    for path in ("/v1/snapshot", "/v1/brains", "/v1/controls", "/v1/twin", "/v1/ledger", "/v1/alerts"):
        answer = patient.get(place.url + path)
        assert answer.status_code == 503, path
        assert answer.headers["content-type"] == "application/problem+json"
        assert int(answer.headers["retry-after"]) >= 1
    assert patient.get(f"{place.url}/v1/city").status_code == 200
    assert patient.get(f"{place.url}/v1/junctions").json()[0]["mode"] is None
    assert patient.get(f"{place.url}/v1/junctions/J1_2").json()["explanation"] == {}

    backend = place.start_backend()
    place.wait_ready()
    assert patient.get(f"{place.url}/v1/snapshot").json()["stale"] is False
    backend.kill()
    backend.wait()
    start = time.monotonic()
    assert patient.put(f"{place.url}/v1/control", json={"name": "fixed"}).status_code == 503
    assert time.monotonic() - start < 4
    place.wait_until(lambda health: health["status"] == "degraded")
    assert patient.get(f"{place.url}/v1/snapshot").json()["stale"] is True  # the last one, marked
    assert patient.patch(f"{place.url}/v1/twin", json={"paused": True}).status_code == 503

    place.start_backend()
    place.wait_ready()
    assert patient.put(f"{place.url}/v1/control", json={"name": "fixed"}).status_code == 200
    # alerts raised while nobody listened are caught up from the brain, a moment after it is back
    deadline = time.monotonic() + 60
    while "event: alert" not in (text := patient.get(f"{place.url}/v1/alerts/stream").text):
        assert time.monotonic() < deadline, text
        time.sleep(0.2)


def run_server(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "civicbrain.api.server", *options], capture_output=True, text=True, timeout=120
    )


def test_port_in_use(live: Place, tmp_path: Path) -> None:
    done = run_server("--city", str(live.city), "--run-dir", str(tmp_path), "--port", str(live.port))
    assert done.returncode == 2
    assert f"127.0.0.1:{live.port}" in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_city_and_impossible_addresses(
    city_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    port = str(free_port())
    city, run_dir = ("--city", str(city_folder)), ("--run-dir", str(tmp_path))
    for options in (
        ("--city", str(tmp_path), *run_dir, "--port", port),
        (*city, *run_dir, "--port", "99999"),
        (*city, *run_dir, "--port", port, "--host", "no.such.host.invalid"),
        (*city, "--run-dir", str(tmp_path / "none"), "--port", port, "--host", "0.0.0.0"),
        (*city, "--run-dir", str(tmp_path / (110 * "x")), "--port", port),
    ):
        assert main([*options]) == 2, options
        assert "remedy" in capsys.readouterr().err


def test_the_api_killed_and_started_again(place_of: Callable[[], Place]) -> None:
    place = place_of()
    place.start_backend()
    api = place.start_api()
    place.wait_ready()
    api.kill()
    api.wait()
    place.start_api(port=place.port)
    place.wait_ready()
    assert patient.get(f"{place.url}/v1/snapshot").json()["sequence"] > 0
