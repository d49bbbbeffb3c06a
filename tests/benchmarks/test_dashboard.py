"""asv runs the suite, publishes what it measured, and a browser shows it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from paths import ROOT

pytest.importorskip("asv")
pytest.importorskip("numba")

NODE_MODULES = ROOT / "tests" / "pages" / "node_modules"

COMMITS = 3
BENCHMARK = "bench_kernels.Call.time_call"
# The graph shows the first sizes and kernels unless asked for others.
SELECTION = r"time_call\('numpy', 'activation_forward\[relu\]', '1x64'\)"

# Beginnings of addresses that the pages load libraries from, and the files of the packages.
CDNJS, JSDELIVR = "cdnjs.cloudflare.com/ajax/libs", "cdn.jsdelivr.net/npm"
LIBRARIES = {
    "code.jquery.com/jquery-": "jquery/dist/jquery.min.js",
    f"{CDNJS}/flot/[^/]+/jquery.flot.min": "flot/jquery.flot.js",
    f"{CDNJS}/flot/[^/]+/jquery.flot.time": "flot/jquery.flot.time.js",
    f"{CDNJS}/flot/[^/]+/jquery.flot.selection": "flot/jquery.flot.selection.js",
    f"{CDNJS}/flot/[^/]+/jquery.flot.categories": "flot/jquery.flot.categories.js",
    f"{CDNJS}/stupidtable/": "stupid-table-plugin/stupidtable.min.js",
    f"{CDNJS}/blueimp-md5/": "blueimp-md5/js/md5.min.js",
    f"{JSDELIVR}/flot-orderbars@": "flot-orderbars/js/jquery.flot.orderBars.js",
    f"{JSDELIVR}/bootstrap@[^/]+/dist/js/": "bootstrap/dist/js/bootstrap.min.js",
    f"{JSDELIVR}/bootstrap@[^/]+/dist/css/": "bootstrap/dist/css/bootstrap.min.css",
}

# Values of the graph's points in the order of the commits, and whether a colored pixel is near the
# place of each.
POINTS = """
const plot = $('#main-graph').data('plot');
if (!plot) return null;
const canvas = plot.getCanvas();
const scale = canvas.width / canvas.clientWidth;
const colored = (x, y) => {
    const place = plot.pointOffset({x, y});
    const pixels = canvas.getContext('2d').getImageData(
        scale * place.left - 5, scale * place.top - 5, 10, 10).data;
    for (let i = 0; i < pixels.length; i += 4) {
        const rgb = pixels.slice(i, i + 3);
        if (pixels[i + 3] > 0 && Math.max(...rgb) - Math.min(...rgb) > 50) return true;
    }
    return false;
};
return plot.getData().flatMap(line => line.data).filter(([x, y]) => y !== null).map(
    ([x, y]) => ({y, colored: colored(x, y)}));
"""


class Site:
    """A suite's results and pages in a folder, of a repository of its own with a few commits."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            # Machines that asv knows stand in a file in the home folder.
            "HOME": str(folder),
            # asv drops PYTHONPATH.
            "ASV_PYTHONPATH": str(ROOT),
            **{f"GIT_{who}_NAME": "Somebody" for who in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{who}_EMAIL": "somebody@example.org" for who in ("AUTHOR", "COMMITTER")},
        }
        self.repository = folder / "repository"
        self.html = folder / "html"
        self.run("git", "init", "--quiet", "--initial-branch=main", str(self.repository))
        self.commits = [self._commit(number) for number in range(COMMITS)]
        configuration = {
            "version": 1,
            "project": "fastmlp",
            "repo": str(self.repository),
            "branches": ["main"],
            "environment_type": "virtualenv",
            "benchmark_dir": str(ROOT / "benchmarks/suite"),
            "results_dir": str(folder / "results"),
            "html_dir": str(self.html),
        }
        (folder / "asv.conf.json").write_text(json.dumps(configuration), encoding="utf-8")
        self.asv("machine", "--yes")

    def run(self, *command: str) -> str:
        """Run a command; return what it prints."""
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def asv(self, *arguments: str) -> str:
        return self.run(sys.executable, "-m", "asv", *arguments)

    def _commit(self, number: int) -> str:
        git = ("git", "-C", str(self.repository))
        # A minute apart: points of one second are one.
        self.environment["GIT_COMMITTER_DATE"] = f"2026-01-01T00:0{number}:00Z"
        self.run(*git, "commit", "--quiet", "--allow-empty", "--message", f"Commit {number}")
        return self.run(*git, "rev-parse", "HEAD").strip()

    def measure(self, commit: str) -> None:
        """Run a benchmark in this environment, as a result of a commit."""
        self.asv(
            *("run", "--quick", "--show-stderr", "--bench", SELECTION),
            *("--set-commit-hash", commit, "-E", f"existing:{sys.executable}"),
        )

    def results(self) -> list[float]:
        """Seconds by commit."""
        seconds = []
        for commit in self.commits:
            (path,) = self.folder.glob(f"results/*/{commit[:8]}-*.json")
            result = json.loads(path.read_text(encoding="utf-8"))
            values = result["results"][BENCHMARK][result["result_columns"].index("result")]
            seconds += [value for value in values if value is not None and value > 0]
        return seconds


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Three commits with results, published."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    site = Site(tmp_path_factory.mktemp("site"))
    for commit in site.commits:
        site.measure(commit)
    site.asv("publish")
    return site


@pytest.fixture
def address(site: Site) -> Iterator[str]:
    """Where the pages are served, with the libraries that they load beside them if installed."""
    if NODE_MODULES.is_dir():
        use_local_libraries(site.html)
    handler = partial(QuietHandler, directory=str(site.html))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class QuietHandler(SimpleHTTPRequestHandler):
    """Writes no line for each request."""

    def log_message(self, format: str, *args: Any) -> None:
        pass


def use_local_libraries(html: Path) -> None:
    """Let the pages load installed packages in place of files of public servers."""
    page = html / "index.html"
    text = page.read_text(encoding="utf-8")
    for source, target in LIBRARIES.items():
        # Minified files of the servers are not those of the packages.
        text, found = re.subn(rf'"https://{source}[^"]*" integrity="[^"]*"', f'"{target}"', text)
        assert found <= 1, source
        copy = html / target
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(NODE_MODULES / target, copy)
    assert 'src="http' not in text
    page.write_text(text, encoding="utf-8")


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Any]:
    """Headless Chromium."""
    webdriver = pytest.importorskip("selenium.webdriver")
    from selenium.webdriver.chrome.service import Service

    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("Chromium and its driver are not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in (
        *("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1400,1000"),
        *("--no-first-run", "--disable-background-networking", "--disable-component-update"),
        f"--user-data-dir={tmp_path}",
    ):
        options.add_argument(argument)
    opened = webdriver.Chrome(options, Service(driver))
    yield opened
    opened.quit()


@pytest.mark.slow
def test_a_click_leads_to_the_points_of_a_benchmark(site: Site, address: str, browser: Any) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    def wait_for(condition: Any) -> Any:
        return WebDriverWait(browser, 20).until(condition)

    browser.get(address)
    links = wait_for(
        lambda _: (
            browser.find_elements(By.CSS_SELECTOR, f'a[href="#{BENCHMARK}"]')
            or "error.html" in browser.current_url
        )
    )
    if "error.html" in browser.current_url:
        pytest.skip("the pages' libraries are neither to be reached nor in tests/pages")
    assert browser.title == "airspeed velocity of an unladen fastmlp"
    links[0].click()

    points = wait_for(lambda _: browser.execute_script(POINTS))
    assert browser.find_element(By.ID, "title").text == BENCHMARK
    assert len(points) == COMMITS
    assert [point["y"] for point in points] == site.results()
    assert [point["colored"] for point in points] == [True] * COMMITS
