"""The control room in Chromium: what it draws, what the main thread does, how soon it is useful."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Browser, Page

# a task of the main thread over 50 ms (Long Tasks API), and how late a timer of 10 ms comes
WATCH = """
window.__watch = {long: [], lag: 0, last: performance.now(), shift: 0};
const each = (type, take) =>
  new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({type, buffered: true});
each('longtask', (e) => window.__watch.long.push([e.startTime, e.duration]));
each('layout-shift', (e) => { if (!e.hadRecentInput) window.__watch.shift += e.value; });
setInterval(() => {
  const now = performance.now();
  window.__watch.lag = Math.max(window.__watch.lag, now - window.__watch.last - 10);
  window.__watch.last = now;
}, 10);
"""
# when somebody can work: junctions ranked with figures, indicators filled; and when vehicles are on the map
USEFUL = """
window.__useful = {};
const seen = () => {
  const useful = window.__useful;
  const row = document.querySelector('[data-testid=junction-list] .row .number');
  if (!useful.list && row && /[0-9]/.test(row.textContent)) useful.list = performance.now();
  if (!useful.map && window.__civicbrain?.statistics.vehiclesDrawn > 0) useful.map = performance.now();
  if (!useful.frame && document.querySelector('header.bar')) useful.frame = performance.now();
  if (!useful.map || !useful.list) setTimeout(seen, 10);
};
document.addEventListener('DOMContentLoaded', seen);
"""


def opened(browser: Browser, url: str, size: tuple[int, int], script: str) -> Page:
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme="dark")
    page = context.new_page()
    page.add_init_script(script)
    page.goto(url, wait_until="commit")
    return page


def until(page: Page, expression: str, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not page.evaluate(f"() => Boolean({expression})"):
        if time.monotonic() > end:
            raise RuntimeError(f"never came true: {expression}")
        page.wait_for_timeout(50)


def measure_drawing(browser: Browser, url: str, size: tuple[int, int], seconds: float) -> dict[str, Any]:
    """Frames drawn, main thread per frame and its longest block, after ten seconds of warming up."""
    page = opened(browser, url, size, WATCH)
    until(page, "window.__civicbrain?.statistics.vehiclesDrawn > 0", 90)
    page.wait_for_timeout(10_000)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    read: Callable[[], dict[str, float]] = lambda: {  # noqa: E731
        m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]
    }
    state = "() => ({...window.__civicbrain.statistics, now: performance.now()})"
    page.evaluate("() => { window.__watch.lag = 0; window.__watch.long = []; }")
    metrics, before = read(), page.evaluate(state)
    page.wait_for_timeout(1000 * seconds)
    after, metrics_after = page.evaluate(state), read()
    watch = page.evaluate("() => window.__watch")
    page.context.close()
    wall_s = (after["now"] - before["now"]) / 1000
    drawn = after["pictures"] - before["pictures"]
    busy_s = metrics_after["TaskDuration"] - metrics["TaskDuration"]
    return {
        "viewport": list(size),
        "vehicles_drawn": after["vehiclesDrawn"],
        "frames_received_per_s": round((after["framesReceived"] - before["framesReceived"]) / wall_s, 2),
        "frames_drawn_per_s": round(drawn / wall_s, 1),
        "main_thread_cpu_ms_per_drawn_frame": round(1000 * busy_s / max(1, drawn), 2),
        "main_thread_cpu_share": round(busy_s / wall_s, 3),
        "script_cpu_ms_per_drawn_frame": round(
            1000 * (metrics_after["ScriptDuration"] - metrics["ScriptDuration"]) / max(1, drawn), 2
        ),
        "longest_task_ms": round(max((ms for _, ms in watch["long"]), default=0.0), 1),
        "tasks_over_50_ms": len(watch["long"]),
        "longest_timer_lag_ms": round(watch["lag"], 1),
        "intake_ms": round(after["intakeMs"], 2),
    }


def measure_opening(browser: Browser, url: str, times: int) -> dict[str, Any]:
    """Milliseconds from the start of the navigation, in a fresh profile each time; median and worst."""
    rows: list[dict[str, float]] = []
    for _ in range(times):
        page = opened(browser, url, (1440, 900), WATCH + USEFUL)
        until(page, "window.__useful?.map && window.__useful?.list", 60)
        useful = page.evaluate("() => window.__useful")
        paint = page.evaluate(
            "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Infinity"
        )
        watch = page.evaluate("() => window.__watch")
        rows.append(
            {
                "first_contentful_paint_ms": paint,
                "list_with_figures_ms": useful["list"],
                "map_with_vehicles_ms": useful["map"],
                "longest_task_ms": max((ms for _, ms in watch["long"]), default=0.0),
                "layout_shift": watch["shift"],
            }
        )
        page.context.close()
    return {
        key: {"median": round(statistics.median(r[key] for r in rows), 3),
              "worst": round(max(r[key] for r in rows), 3)}
        for key in rows[0]
    }  # fmt: skip
