"""One network in every form in which it can be predicted: ``python -m benchmarks.edge``.

Small networks (relu, softmax, float32) are trained and then predicted by what fastmlp exports, by
the predictor, and by other libraries with the same weights; each is held against the model before
it is timed. All on one thread of one core, from NumPy array to NumPy array; C's rows are called for
by a loop in C. Three tables for each network:

* one row, a process from its start to its first prediction (Python's own start included), and the
  bytes on disk: of all packages that must be installed, or of machine code where it is C, and of
  the network;
* an ARM Cortex-M4: flash, RAM and instructions, and instructions on a Cortex-M3, which has no
  floating-point unit, where the cross compiler and the emulator are installed;
* what is aimed at.

``--write docs/edge.md`` puts them between the two comments in that file.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import textwrap
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np

from fastmlp.peers.report import quartiles
from fastmlp.peers.wording import digits

from .shared.edge_networks import LARGE, SMALL, Array, Network
from .shared.edge_ways import WAYS, NotInstalled, Way, versions
from .shared.exported_c import ARM_FLAGS, CORTEX_M3, CORTEX_M4, FLAGS, can_build_firmware, firmware
from .shared.fresh_process import run, run_after, run_program
from .shared.installed import bytes_installed, in_words
from .shared.marked_part import write_between
from .shared.rounds import conditions, interleaved, ratios, say, table

# Microseconds of a row of the small network, and of many rows onnxruntime's time.
ROW_AIMS = {"C, math.h": 1.0, "Predictor, numba": 3.0, "Predictor, NumPy": 20.0}
MANY_AIM = 1.05
# Seconds beyond ``import numpy``.
START_AIM = 0.1
_FAST, _SMALL_START, _PEER = "Predictor, numba", "Predictor, NumPy", "onnxruntime"

# Numbers in a matrix of many rows.
_MANY = {SMALL: 20_000_000, LARGE: 78_400_000}
_BLOCKS = (256, 1024, 4096, None)
_ARM_ROWS = 10
# A start of some libraries takes seconds.
_MOST_STARTS = 3


def ways_of(network: Network, names: list[str]) -> dict[str, Way]:
    """Those that can be made here, held against the model."""
    ways = {}
    for name in names:
        say(f"{network}: {name}")
        try:
            ways[name] = WAYS[name](network)
        except NotInstalled as absent:
            say(f"  left out: {absent} is not installed")
            continue
        ways[name].check(network)
    return ways


def one_row(ways: dict[str, Way], rounds: int, seconds: float) -> dict[str, list[float]]:
    """Seconds of a row that is predicted by a call of its own, by rounds."""
    return interleaved({name: way.one_by_one for name, way in ways.items()}, rounds, seconds)


def starts(ways: dict[str, Way], rounds: int) -> dict[str, list[float]]:
    """Seconds of a process that predicts one row and ends."""

    def repeated(way: Way) -> Callable[[int], None]:
        def processes(count: int) -> None:
            for _ in range(count):
                if isinstance(way.start, str):
                    run(way.start)
                else:
                    run_program(way.start)

        return processes

    timed = {name: repeated(way) for name, way in ways.items()}
    return interleaved(timed, min(rounds, _MOST_STARTS), 0.0)


def many_rows(ways: dict[str, Way], rows: Array, rounds: int) -> dict[str, list[float]]:
    """Seconds of all rows, by the predictor and by onnxruntime in blocks of several sizes."""

    def predicted(way: Way, block: int | None) -> Callable[[int], None]:
        size = block or len(rows)

        def run(count: int) -> None:
            for _ in range(count):
                for start in range(0, len(rows), size):
                    way.predict(rows[start : start + size])

        return run

    timed = {_FAST: predicted(ways[_FAST], None)}
    timed |= {f"{_PEER}, {block or 'all'}": predicted(ways[_PEER], block) for block in _BLOCKS}
    return interleaved(timed, rounds, 0.0)


def beyond_numpy(way: Way, rounds: int) -> list[float]:
    """Seconds of the first prediction beyond ``import numpy``, each in a new process."""
    assert isinstance(way.start, str)
    run_after("import numpy", way.start)
    return [run_after("import numpy", way.start).seconds for _ in range(rounds)]


def way_table(
    ways: dict[str, Way], rows: dict[str, list[float]], processes: dict[str, list[float]]
) -> str:
    """The first table."""
    lines = []
    for name, way in ways.items():
        low, middle, high = (digits(1e6 * value) for value in quartiles(rows[name]))
        if way.code_bytes is None:
            library = in_words(bytes_installed(*way.packages))
        else:
            library = in_words(way.code_bytes)
        lines.append(
            [
                *(name, f"{middle} ({low} to {high})", f"{median(processes[name]):.3f}"),
                *(library, in_words(way.model_bytes), way.needs),
            ]
        )
    head = ["", "one row, us (quartiles)", "start to first row, s", "to install", "network"]
    return table([*head, "needs"], lines)


def arm_table(network: Network, ways: dict[str, Way]) -> str:
    """The second table; each way is held against what it must give."""
    lines = []
    for name, way in ways.items():
        if way.c_folder is None:
            continue
        expected = (network.expected if way.expected is None else way.expected)[:_ARM_ROWS]
        cells = [name]
        for processor in (CORTEX_M4, CORTEX_M3):
            say(f"{network}: {name} on a {processor.title}")
            rows = network.rows[:_ARM_ROWS]
            found = firmware(processor, way.c_folder, rows, network.n_outputs, way.c_includes)
            assert np.abs(found.outputs - expected).max() <= way.tolerance, (name, processor)
            if processor is CORTEX_M4:
                sizes = (found.sizes.code, found.sizes.constants, found.ram)
                cells += [f"{size:,}" for size in sizes]
            cells.append(f"{found.instructions:,.0f}")
        lines.append(cells)
    sizes = ["code, bytes", "constants, bytes", "RAM, bytes"]
    return table(["", *sizes, "instructions a row", "the same on a Cortex-M3"], lines)


def aims_of(
    network: Network,
    ways: dict[str, Way],
    rows: dict[str, list[float]],
    rounds: int,
    most_rows: int | None,
) -> list[list[str]]:
    """The lines of the third table."""
    lines = []
    if str(network) == SMALL:
        for name, aim in ROW_AIMS.items():
            if name in rows:
                lines.append([f"one row, {name}, us", f"{aim:g}", digits(1e6 * median(rows[name]))])
    if _FAST in ways and _PEER in ways:
        number = min(_MANY[str(network)] // network.n_features, most_rows or sys.maxsize)
        say(f"{network}: {number:,} rows")
        found = many_rows(ways, np.resize(network.data[0], (number, network.n_features)), rounds)
        best = min((name for name in found if name != _FAST), key=lambda name: median(found[name]))
        share = median(ratios(found[_FAST], found[best]))
        nanoseconds = digits(1e9 * median(found[_FAST]) / number)
        what = f"{number:,} rows, {_FAST} ({nanoseconds} ns a row) by {best} at a time"
        lines.append([what, f"{MANY_AIM:g}", f"{share:.2f}"])
    if _SMALL_START in ways:
        seconds = median(beyond_numpy(ways[_SMALL_START], rounds))
        what = f"first row, {_SMALL_START}, beyond `import numpy`, s"
        lines.append([what, f"{START_AIM:g}", f"{seconds:.3f}"])
    return lines


def main(argv: list[str] | None = None) -> None:
    """Measure, print the tables and write them where that is asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.edge",
        description="One network in every form in which it can be predicted.",
    )
    parser.add_argument(
        "--networks",
        nargs="+",
        default=[SMALL, LARGE],
        choices=[SMALL, LARGE],
        metavar="NETWORK",
        help=f"of {SMALL} and {LARGE}; default: both",
    )
    parser.add_argument(
        "--only",
        nargs="+",
        default=list(WAYS),
        choices=WAYS,
        metavar="WAY",
        help=f"of {', '.join(map(repr, WAYS))}; default: all",
    )
    parser.add_argument("--rounds", type=int, default=9, metavar="N", help="default: 9")
    parser.add_argument("--write", type=Path, metavar="FILE", help="into this file as well")
    parser.add_argument(
        "--quick", action="store_true", help="one short round of few rows, to see that it works"
    )
    arguments = parser.parse_args(argv)
    rounds, seconds, most_rows = (
        (1, 0.001, 1000) if arguments.quick else (arguments.rounds, 0.1, None)
    )
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, [max(os.sched_getaffinity(0))])
    about = f"{conditions()}; {versions()}; `cc {' '.join(FLAGS)}`."
    parts = [textwrap.fill(about, 100, break_long_words=False, break_on_hyphens=False)]
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.networks:
            network = Network.of(name, Path(folder))
            ways = ways_of(network, arguments.only)
            rows = one_row(ways, rounds, seconds)
            say(f"{network}: starts")
            parts += [f"### {network}", way_table(ways, rows, starts(ways, rounds))]
            compiled = [way for way in ways.values() if way.c_folder is not None]
            if compiled and can_build_firmware():
                flags = " ".join(ARM_FLAGS)
                parts += [f"On a Cortex-M4 (`{flags}`):", arm_table(network, ways)]
            aims = aims_of(network, ways, rows, rounds, most_rows)
            if aims:
                parts.append(table(["", "at most", "found"], aims))
    text = "\n\n".join(parts) + "\n"
    print(text)
    if arguments.write is not None:
        write_between(arguments.write, text, "benchmarks.edge")


if __name__ == "__main__":
    main()
