"""Real tables with damages of all kinds: ``python -m benchmarks.mutated_tables FILE:TARGET ...``.

Some rows of each table are damaged in one way or in two, as editors, exports and transfers damage
files, and ``fastmlp train`` learns from what is left. It must end with a result or with one line
that tells why there is none. A result that is another one than that of the whole table, by a linear
model on the test rows, must have been told of; those that were not are listed, to be looked at.

All is drawn from a seed, so that a number stands for a damage: ``--only 17`` shows it.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import io
import json
import random
import re
import tempfile
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fastmlp.cli import main as fastmlp

QUICK = ["-e", "1", "-l", "4", "--backend", "numpy"]
# By how much a score may move without a word: rows that are lost move it, too.
MOVED = 0.25

Change = Callable[[bytes, random.Random], bytes]


@dataclass(frozen=True)
class Outcome:
    """What came of a training.

    Attributes
    ----------
    kind : str
        ``"result"``, ``"refused"`` or ``"crash"``.
    score : float
        R2 or accuracy of the linear model on the test rows.
    said : list of str
        The lines on stderr.
    """

    kind: str
    score: float
    said: list[str]


def delete_bytes(data: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(data))
    return data[:place] + data[place + rng.choice([1, 1, 1, 5, 60]) :]


def insert_bytes(data: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(data))
    new = rng.choice([b'"', b"'", b",", b";", b"\n", b"\r", b"\t", b" ", b"#", b"?", b"\x00", b"-"])
    if rng.random() < 0.3:
        new = bytes(rng.randrange(256) for _ in range(rng.choice([1, 3])))
    return data[:place] + new + data[place:]


def swap_bytes(data: bytes, rng: random.Random) -> bytes:
    place, length = rng.randrange(len(data)), rng.choice([1, 1, 4, 30])
    first, second = data[place : place + length], data[place + length : place + 2 * length]
    return data[:place] + second + first + data[place + 2 * length :]


def cut_the_end(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data) // 2, len(data))]


def cut_the_start(data: bytes, rng: random.Random) -> bytes:
    return data[rng.randrange(1, len(data) // 2) :]


def _of_lines(change: Callable[[list[bytes], random.Random], list[bytes]]) -> Change:
    def changed(data: bytes, rng: random.Random) -> bytes:
        return b"\n".join(change(data.split(b"\n"), rng))

    changed.__name__ = change.__name__
    return changed


@_of_lines
def cut_lines(lines: list[bytes], rng: random.Random) -> list[bytes]:
    for _ in range(rng.choice([1, 3, 20])):
        place = rng.randrange(len(lines))
        lines[place] = lines[place][: rng.randrange(1 + len(lines[place]))]
    return lines


@_of_lines
def join_lines(lines: list[bytes], rng: random.Random) -> list[bytes]:
    place = rng.randrange(len(lines) - 1)
    return [*lines[:place], lines[place] + lines[place + 1], *lines[place + 2 :]]


@_of_lines
def repeat_lines(lines: list[bytes], rng: random.Random) -> list[bytes]:
    place, start = rng.randrange(len(lines)), rng.randrange(len(lines))
    return lines[:place] + lines[start : start + rng.choice([1, 20])] + lines[place:]


@_of_lines
def lines_of_others(lines: list[bytes], rng: random.Random) -> list[bytes]:
    new = [
        b"",
        b" ",
        b"# note",
        b"Report, 2020",
        b"Total",
        b"-----",
        b"(100 rows)",
        b",,,",
        b"\x1a",
    ]
    place = rng.choice([0, 1, rng.randrange(len(lines)), len(lines)])
    return [*lines[:place], *rng.sample(new, rng.choice([1, 2])), *lines[place:]]


@_of_lines
def no_header(lines: list[bytes], rng: random.Random) -> list[bytes]:
    return lines[1:]


@_of_lines
def header_again(lines: list[bytes], rng: random.Random) -> list[bytes]:
    place = rng.randrange(1, len(lines))
    return [*lines[:place], lines[0], *lines[place:]]


@_of_lines
def quoted_lines(lines: list[bytes], rng: random.Random) -> list[bytes]:
    first = rng.choice([0, 1])
    return lines[:first] + [b'"' + line + b'"' if line else b"" for line in lines[first:]]


def _of_cells(change: Callable[[list[list[bytes]], random.Random], list[list[bytes]]]) -> Change:
    def changed(data: bytes, rng: random.Random) -> bytes:
        rows = [line.split(b",") for line in data.split(b"\n")]
        return b"\n".join(b",".join(row) for row in change(rows, rng))

    changed.__name__ = change.__name__
    return changed


@_of_cells
def shifted_rows(rows: list[list[bytes]], rng: random.Random) -> list[list[bytes]]:
    place = rng.randrange(len(rows[0]))
    few = rng.sample(range(1, len(rows)), rng.choice([1, 5, len(rows) // 2, len(rows) - 1]))
    wider = rng.random() < 0.5
    for row in few:
        if wider:
            rows[row].insert(place, rng.choice([b"", b"x", b"1"]))
        elif len(rows[row]) > 1:
            rows[row].pop(min(place, len(rows[row]) - 1))
    return rows


@_of_cells
def moved_columns(rows: list[list[bytes]], rng: random.Random) -> list[list[bytes]]:
    places = list(range(len(rows[0])))
    rng.shuffle(places)
    rows = [[row[place] for place in places] if len(row) == len(places) else row for row in rows]
    return rows


@_of_cells
def renamed_columns(rows: list[list[bytes]], rng: random.Random) -> list[list[bytes]]:
    place = rng.randrange(len(rows[0]))
    rows[0][place] = rng.choice([b"", b" ", rows[0][0], b'"x', b"1", b"a\xe4", b"\xf0\x9f\x98\x80"])
    return rows


@_of_cells
def odd_cells(rows: list[list[bytes]], rng: random.Random) -> list[list[bytes]]:
    new = [b"?", b"n/a", b"-", b"#DIV/0!", b"1e999", b"12O", b"'", b'"', b"\\N", b"0x1F", b"1.2.3"]
    cell = rng.choice(new)
    place = rng.randrange(len(rows[0]))
    for row in rng.sample(range(1, len(rows)), rng.choice([1, 10, len(rows) // 2])):
        if place < len(rows[row]):
            rows[row][place] = cell
    return rows


@_of_cells
def odd_numbers(rows: list[list[bytes]], rng: random.Random) -> list[list[bytes]]:
    pattern = rng.choice([b"$%b", b"%b%%", b"%b kg", b" %b ", b'"%b"', b"'%b", b'="%b"', b"+%b"])
    place = rng.randrange(len(rows[0]))
    for row in rows[1:]:
        if place < len(row) and re.fullmatch(rb"[\d.]+", row[place]):
            row[place] = pattern % row[place]
    return rows


def decimal_commas(data: bytes, rng: random.Random) -> bytes:
    data = data.replace(b",", rng.choice([b";", b";", b"\t", b"|", b","]))
    return re.sub(rb"(?<=\d)\.(?=\d)", b",", data)


def other_separators(data: bytes, rng: random.Random) -> bytes:
    return data.replace(b",", rng.choice([b";", b"\t", b"|", b" ", b", ", b",,", b"^", b":"]))


def other_line_ends(data: bytes, rng: random.Random) -> bytes:
    if rng.random() < 0.3:
        return re.sub(rb"\n", lambda _: rng.choice([b"\n", b"\r", b"\r\n", b"\n\n"]), data)
    return data.replace(b"\n", rng.choice([b"\r", b"\r\n", b"\r\r\n", b"\n\n", b"\n\r", b" \n"]))


def other_encodings(data: bytes, rng: random.Random) -> bytes:
    header, _, rows = data.decode("latin-1").partition("\n")
    text = f"{header}\n{rows.replace('e', rng.choice('eé€ñ日'))}"
    names = ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "utf-8-sig", "shift_jis"]
    name = rng.choice([*names, "utf-7", "cp500"])
    return text.encode(name, errors="replace")


def other_bytes(data: bytes, rng: random.Random) -> bytes:
    found = bytearray(data)
    for _ in range(rng.choice([1, 3, 100])):
        found[rng.randrange(len(found))] = rng.randrange(256)
    return bytes(found)


CHANGES: list[Change] = [
    *(delete_bytes, insert_bytes, swap_bytes, cut_the_end, cut_the_start, cut_lines, join_lines),
    *(repeat_lines, lines_of_others, no_header, header_again, quoted_lines, shifted_rows),
    *(moved_columns, renamed_columns, odd_cells, odd_numbers, decimal_commas, other_separators),
    *(other_line_ends, other_encodings, other_bytes),
]


def rows_of(path: Path, n_rows: int) -> bytes:
    """The header and rows from all over a file."""
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    header, *lines = data.splitlines(keepends=True)
    return header + b"".join(lines[:: max(1, len(lines) // n_rows)][:n_rows])


def damaged(data: bytes, rng: random.Random) -> tuple[bytes, list[str]]:
    """The table with a damage or two, and what they are."""
    changes = rng.sample(CHANGES, rng.choice([1, 1, 1, 2]))
    for change in changes:
        # A damage may have left nothing for the next.
        if len(data) > 10 and data.count(b"\n") > 3:
            data = change(data, rng)
    return data, [change.__name__ for change in changes]


def train(data: bytes, target: str, folder: Path) -> Outcome:
    """Learn from a table by the command line."""
    (folder / "table.csv").write_bytes(data)
    words = ["train", "--data", str(folder / "table.csv"), "--target", target, *QUICK]
    out, err = io.StringIO(), io.StringIO()
    code: object = None
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                code = fastmlp([*words, "--output-dir", str(folder / "out")])
        except SystemExit as error:
            code = error.code
        except Exception:
            traceback.print_exc()
    said = err.getvalue().splitlines()
    if code == 0:
        metrics = json.loads((folder / "out" / "metrics.json").read_text())
        _, linear = metrics["baselines"].values()
        return Outcome("result", linear.get("r2", linear.get("accuracy")), said)
    errors = [line for line in said if not line.startswith("note: ")]
    is_clear = code == 2 and len(errors) == 1 and errors[0].startswith("fastmlp: error: ")
    return Outcome("refused" if is_clear else "crash", float("nan"), said)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables", nargs="+", metavar="FILE:TARGET")
    parser.add_argument("--count", type=int, default=200, help="how many (default: 200)")
    parser.add_argument("--rows", type=int, default=200, help="of each table (default: 200)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, help="the number of one, all of which is shown")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    pairs = [name.rsplit(":", 1) for name in options.tables]
    tables = [(rows_of(Path(path), options.rows), target) for path, target in pairs]
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole = [train(data, target, folder) for data, target in tables]
        numbers = range(options.count) if options.only is None else [options.only]
        for number in numbers:
            place = number % len(tables)
            table, target = tables[place]
            data, changes = damaged(table, random.Random(f"{options.seed} {number}"))
            found = train(data, target, folder)
            what = f"{number} {pairs[place][0]} {' '.join(changes)}"
            moved = abs(found.score - whole[place].score) > MOVED
            kind = found.kind
            if kind == "result" and moved:
                kind = (
                    "moved, told" if set(found.said) - set(whole[place].said) else "moved, untold"
                )
            counts[kind] += 1
            if options.only is not None:
                print(data.decode(errors="replace")[:3000])
            if kind in ("crash", "moved, untold") or options.only is not None:
                print(f"{kind}: {what}: {whole[place].score:.3f} -> {found.score:.3f}")
                print("".join(f"    {line[:300]}\n" for line in found.said), flush=True)
            elif kind == "refused" or kind == "moved, told":
                print(f"{kind}: {what}: {whole[place].score:.3f} -> {found.score:.3f}")
                print(f"    {found.said[-1].replace(name, '')[:240]}", flush=True)
    print(dict(counts))


if __name__ == "__main__":
    main()
