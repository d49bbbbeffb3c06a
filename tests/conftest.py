"""What all tests share: where data lies, and skips."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

_REQUIRE_ALL = "FASTMLP_REQUIRE_ALL"

# Their assertions tell what they compared, as those of tests do.
pytest.register_assert_rewrite(*(path.stem for path in Path(__file__).parent.glob("helpers/*.py")))

# A shell starts what runs in the background with SIGINT ignored, where tests of Ctrl-C would wait
# for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: takes several seconds; leave out with -m 'not slow'")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Tell how many of scikit-learn's own tests and checks have passed."""
    from estimator_counts import FOLDER, lines

    reports = [report for each in terminalreporter.stats.values() for report in each]
    if any(FOLDER in str(getattr(report, "nodeid", "")) for report in reports):
        import sklearn

        for line in lines(terminalreporter.stats, sklearn.__version__):
            terminalreporter.write_line(line)


def _fail_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get(_REQUIRE_ALL):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid}: {reason}, which {_REQUIRE_ALL} forbids"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _fail_if_skipped(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _fail_if_skipped(report)
    return report


@pytest.fixture(params=["numpy", "numba"])
def backend(request: pytest.FixtureRequest) -> str:
    """Each backend in turn; the compiled one where Numba is installed."""
    if request.param == "numba":
        pytest.importorskip("numba")
    name: str = request.param
    return name


@pytest.fixture
def registrations() -> Iterator[None]:
    """Registrations last for a process; those of a test end with it."""
    from fastmlp.declarations import activations, losses
    from fastmlp.kernels import custom

    tables: list[dict[str, Any]] = [activations.ACTIVATIONS, losses.LOSSES]
    tables += [custom.ACTIVATIONS, custom.LOSSES]
    before = [dict(table) for table in tables]
    yield
    for table, entries in zip(tables, before, strict=True):
        table.clear()
        table.update(entries)


@pytest.fixture
def headless(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Pictures need no screen, and none is left behind."""
    pytest.importorskip("matplotlib")
    from matplotlib import pyplot

    monkeypatch.setenv("MPLBACKEND", "Agg")
    pyplot.switch_backend("Agg")
    yield
    pyplot.close("all")


def _data_folder(variable: str, what: str) -> Path:
    folder = os.environ.get(variable)
    if not folder:
        pytest.skip(f"{variable} does not name a folder with {what}")
    if not Path(folder).is_dir():
        pytest.fail(f"{variable} is {folder!r}, which is no folder")
    return Path(folder)


@pytest.fixture(scope="session")
def sklearn_data() -> Path:
    """The folder from which scikit-learn loads California housing and MNIST."""
    return _data_folder("SCIKIT_LEARN_DATA", "scikit-learn's downloaded data sets")


@pytest.fixture(scope="session")
def tables() -> Path:
    """The folder of tables in CSV and NPZ files."""
    return _data_folder("FASTMLP_TEST_DATA", "tables in CSV and NPZ files")


@pytest.fixture
def without_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """No host name can be looked up."""
    import socket

    def refuse(*_: Any, **__: Any) -> None:
        raise socket.gaierror("no network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
