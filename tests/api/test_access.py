"""Who may come in: Host, Origin, token, rates, headers."""

from __future__ import annotations

import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx
import patient
import pytest
from api_place import Place

from civicbrain.api.door.rates import RateLimit
from civicbrain.api.static import security_headers

SWITCH = {"enabled": True}


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "localhost.evil.example", "", "[::1"])
def test_rebound_names_are_refused(client: httpx.Client, host: str) -> None:
    answer = client.get("/v1/snapshot", headers={"Host": host})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("host", ["localhost", "localhost:1234", "127.0.0.1", "[::1]:8080"])
def test_this_machine_has_several_names(client: httpx.Client, host: str) -> None:
    assert client.get("/v1/city", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
        {"Origin": "file://"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_other_pages_change_nothing(client: httpx.Client, headers: dict[str, str]) -> None:
    answer = client.put("/v1/brains/signals", json=SWITCH, headers=headers)
    assert answer.status_code == 403


def test_our_own_page_may(client: httpx.Client, live: Place) -> None:
    headers = {"Origin": live.url, "Sec-Fetch-Site": "same-origin"}
    assert client.put("/v1/brains/signals", json=SWITCH, headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/", "/v1/city", "/v1/nothing", "/nothing", "/openapi.json"])
def test_every_answer_has_the_security_headers(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    policy = headers["content-security-policy"]
    if path.startswith("/v1"):  # reports to print have their styles in them, and no scripts
        assert "script-src" not in policy
        assert "default-src 'none'" in policy
    else:
        assert "script-src 'self'; style-src 'self';" in policy
        assert "unsafe" not in policy
        assert "data:" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "server" not in headers


def test_the_policy_names_the_tile_host_only_when_there_is_one() -> None:
    assert "https:" not in security_headers("")["Content-Security-Policy"]
    policy = security_headers("https://{s}.tile.example.org/{z}/{x}/{y}.png")["Content-Security-Policy"]
    assert "img-src 'self' blob: https://*.tile.example.org;" in policy
    for wicked in ("https://a.example; script-src *", "javascript:alert(1)", "https://[", "https://a b/"):
        assert "example" not in security_headers(wicked)["Content-Security-Policy"]


def test_token_when_bound_elsewhere(place_of: Callable[[], Place]) -> None:
    place = place_of()
    place.start_backend()
    place.start_api("--host", "0.0.0.0")
    place.wait_ready()  # health is open to probes
    kept = place.run_dir / "api.token"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    token = kept.read_text().strip()
    refused = patient.get(f"{place.url}/v1/city")
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Bearer")
    for wrong in ("Bearer " + token[:-1], "Bearer", "Basic " + token, "Bearer \xff"):
        answer = patient.get(f"{place.url}/v1/city", headers={"Authorization": wrong.encode("latin-1")})
        assert answer.status_code == 401
    bearer = {"Authorization": f"Bearer {token}"}
    assert patient.get(f"{place.url}/v1/city", headers=bearer).status_code == 200
    assert (
        "401"
        in patient.get(f"{place.url}/openapi.json", headers=bearer).json()["paths"]["/v1/city"]["get"][
            "responses"
        ]
    )
    # a browser opens the address with the token once
    assert patient.get(f"{place.url}/?token=wrong").status_code == 401
    with patient.Client(base_url=place.url, follow_redirects=True) as browser:
        assert browser.get(f"/?token={token}").url.path == "/"
        assert browser.get("/v1/city").status_code == 200
        cookie = patient.get(f"{place.url}/?token={token}").headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert (
            browser.put("/v1/brains/signals", json=SWITCH, headers={"Origin": "http://e.example"}).status_code
            == 403
        )


def test_too_many_requests(place_of: Callable[[], Place]) -> None:
    place = place_of()
    place.start_backend()
    place.start_api("--write-rate", "1")
    place.wait_ready()
    with ThreadPoolExecutor(8) as at_once:  # one after the other may be slow enough on a busy machine
        ask = partial(patient.put, f"{place.url}/v1/brains/signals", json=SWITCH)
        answers = [one.result() for one in [at_once.submit(ask) for _ in range(8)]]
    assert {answer.status_code for answer in answers} == {200, 429}
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.headers["content-type"] == "application/problem+json"
    assert int(refused.headers["retry-after"]) >= 1
    assert patient.get(f"{place.url}/v1/city").status_code == 200  # reading goes on


def test_rate_limit_forgets_the_oldest_clients() -> None:
    limit = RateLimit(rate_hz=0.001, burst_s=1.0)
    assert limit.wait_s("a") == 0
    assert limit.wait_s("a") > 0
    assert limit.wait_s("b") == 0
    for number in range(5000):
        limit.wait_s(str(number))
    assert limit.wait_s("a") == 0
