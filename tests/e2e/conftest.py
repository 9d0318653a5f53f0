"""The control room in a real browser, in front of a real API process and a stand-in for twin and brain.

Chromium is Debian's. Where it is missing and may be installed (root, apt-get), it is; else these tests are
skipped and say why.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, expect, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "api"))
import patient
from grid_city import grid_city

from civicbrain.city.folder import save_city

TESTS = Path(__file__).parents[1]
# Drawing without a graphics card takes a whole core and more at sixty pictures a second. `__everyMs`: the
# least time between two; `__still`: none, while another page is looked at.
CALM = """(() => {
  const ask = window.requestAnimationFrame.bind(window), dropped = new Set();
  let last = 0;
  window.__everyMs = %d;
  const wait = (id, draw) => {
    if (window.__still) window.setTimeout(() => wait(id, draw), 100);
    else ask((at) => dropped.delete(id) || draw(at));
  };
  window.requestAnimationFrame = (draw) => {
    const id = ++last;
    if (window.__everyMs) window.setTimeout(() => wait(id, draw), window.__everyMs);
    else wait(id, draw);
    return id;
  };
  window.cancelAnimationFrame = (id) => dropped.add(id);
})()"""
CALM_MS = 240
expect.set_options(timeout=60_000)  # machines that test are busy
STATIC = TESTS.parent / "src" / "civicbrain" / "api" / "static"
SIZE = 4
# without a display and without a graphics card: WebGL in software
FLAGS = (
    "--no-sandbox", "--no-first-run", "--disable-quic", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--use-gl=angle", "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))  # one browser is enough work


def find_chromium() -> str | None:
    names = (os.environ.get("CIVICBRAIN_CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if name and (found := shutil.which(name))), None)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the browser."""
    if not (STATIC / "index.html").exists():
        pytest.skip("the control room is not built: CIVICBRAIN_BUILD_WEB=1 pip install -e .")
    found = find_chromium()
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        for command in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
            subprocess.run(["apt-get", "-qq", *command], capture_output=True, timeout=280)
        found = find_chromium()
    if found is None:
        pytest.skip("no Chromium found, and none could be installed: apt-get install chromium")
    return found


@pytest.fixture(scope="session")  # started once: its compiled shaders serve every page
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS), timeout=90_000)
        yield opened
        opened.close()


@dataclass
class Server:
    """A stand-in backend and the API in front of it, in one run folder. The API can be killed and started."""

    run_dir: Path
    city: Path
    port: int
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start_backend(self, vehicles: int, size: int, alert_every_s: float = 5.0) -> None:
        script = str(TESTS / "api" / "stand_in.py")
        self._start("backend", script, "--vehicles", str(vehicles), "--size", str(size),
                    "--alert-every", str(alert_every_s))  # fmt: skip

    def start_api(self) -> None:
        self._start("api", "-m", "civicbrain.api.server", "--city", str(self.city), "--port", str(self.port))
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                if patient.get(f"{self.url}/v1/health").json()["status"] == "ok":
                    return
            except (httpx.TransportError, KeyError):
                pass
            time.sleep(0.05)
        raise AssertionError("the API did not come up")

    def start_cases(self) -> None:
        """A real cases process; incidents and alarms are for whoever feeds it."""
        self._start("cases", "-m", "civicbrain.runtime.cases.server", "--city", str(self.city))
        end = time.monotonic() + 60
        while not self.get("/v1/health")["cases"]["answering"]:
            assert time.monotonic() < end, "the cases process did not come up"
            time.sleep(0.05)

    def kill(self, name: str) -> None:
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def get(self, path: str) -> Any:
        return patient.get(f"{self.url}{path}").json()

    def _start(self, name: str, *arguments: str) -> None:
        command = [sys.executable, *arguments, "--run-dir", str(self.run_dir)]
        log = (self.run_dir / f"{name}.log").open("ab")
        self.processes[name] = subprocess.Popen(command, stdout=log, stderr=log)


@pytest.fixture(scope="module")
def make_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """Makes servers that end with the module."""
    yield from servers_in(tmp_path_factory)


def servers_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []
    with tempfile.TemporaryDirectory(prefix="cb-") as base:  # short, for Unix sockets

        def make(
            vehicles: int = 300, size: int = SIZE, prepare: Callable[[Server], None] | None = None
        ) -> Server:
            """prepare: what is to lie in its run folder before it starts."""
            city = tmp_path_factory.mktemp("city") / "grid"
            # no simulation runs on it: the network file only has to be there
            save_city(grid_city(size), city, {"twin/net.xml.gz": b""})
            run_dir = Path(base) / str(len(servers))
            run_dir.mkdir(mode=0o700)
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                server = Server(run_dir, city, int(probe.getsockname()[1]))
            servers.append(server)
            if prepare is not None:
                prepare(server)
            server.start_backend(vehicles, size)
            server.start_api()
            return server

        try:
            yield make
        finally:  # `close` comes back here as an exception
            for server in servers:
                for name in list(server.processes):
                    server.kill(name)


@pytest.fixture(scope="session")
def common_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """For tests that leave the city as it was: the control `max-pressure`, at its own pace, nothing held."""
    made = servers_in(tmp_path_factory)
    yield next(made)()
    made.close()


@pytest.fixture(scope="module")
def server(common_server: Server) -> Server:
    """Modules that change more than is given back have one of their own."""
    return common_server


def picture(page: Page, name: str) -> None:
    """The page as it is, for the docs: docs/images/NAME.png, only where CIVICBRAIN_PICTURES=1."""
    if os.environ.get("CIVICBRAIN_PICTURES") == "1":
        page.screenshot(path=TESTS.parent / "docs" / "images" / f"{name}.png")


@dataclass
class Room:
    """An open control room, with what it said to the console and asked of the network."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def still(self, still: bool) -> None:
        """Whether its map draws nothing, so that another page has the machine to itself."""
        self.page.evaluate(f"() => void (window.__still = {str(still).lower()})")

    def statistics(self) -> dict[str, float]:
        answer: dict[str, float] = self.page.evaluate("() => ({...window.__civicbrain.statistics})")
        return answer

    def wait(self, expression: str, seconds: float = 90) -> None:
        """Until the expression holds. Asked again and again from outside: the page's own policy rightly
        forbids the evaluation that Playwright's waiting would do inside."""
        end = time.monotonic() + seconds
        while not self.page.evaluate(f"() => Boolean({expression})"):
            assert time.monotonic() < end, f"never came true: {expression}"
            self.page.wait_for_timeout(50)


@pytest.fixture(scope="module")
def open_room(browser: Browser) -> Iterator[Callable[..., Room]]:
    """Opens rooms, each in a browser profile of its own, and waits for vehicles on the map. at: as in the
    address, for a room that stands where the map is. calm: draws little, to spare the machine."""
    contexts = []

    def opened(url: str, theme: str = "dark", width: int = 1000, height: int = 640,
               bypass_csp: bool = False, calm: bool = True, at: str = "") -> Room:  # fmt: skip
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if theme == "dark" else "light",
            reduced_motion="reduce",
            bypass_csp=bypass_csp,
        )
        context.set_default_timeout(90_000)
        context.add_init_script(CALM % (CALM_MS if calm else 0))
        contexts.append(context)
        room = Room(context.new_page())

        def note(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning"):
                room.complaints.append(f"{message.type}: {message.text}")

        def failed(error: Error) -> None:
            room.complaints.append(f"uncaught: {error}")

        room.page.on("console", note)
        room.page.on("pageerror", failed)
        room.page.on(
            "request",
            lambda r: None if r.url.startswith((url, "blob:", "data:")) else room.foreign.append(r.url),
        )
        room.page.goto(f"{url}{at}")
        if at:
            room.page.locator(".page-room .room-loading").wait_for(state="detached")
        else:
            room.wait("window.__civicbrain && window.__civicbrain.statistics.vehiclesDrawn > 0", 90)
        return room

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def shared_room(server: Server, open_room: Callable[..., Room]) -> Room:
    return open_room(server.url)


@pytest.fixture
def room(shared_room: Room) -> Iterator[Room]:
    """A room that is running, on the whole city, with nothing chosen; it must end without complaints."""
    yield shared_room
    complaints, shared_room.complaints = shared_room.complaints, []
    assert not complaints
    assert not shared_room.foreign


@pytest.fixture
def alone(shared_room: Room) -> Iterator[None]:
    """The shared page draws nothing meanwhile."""
    shared_room.still(True)
    yield
    shared_room.still(False)


@pytest.fixture(scope="session")
def keep_picture() -> Callable[[Page, str], None]:
    """`picture`, for tests: conftest is no module that every run can import by name."""
    return picture
