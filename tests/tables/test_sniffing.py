"""How a text is written is found out from its first lines."""

from __future__ import annotations

import pytest

from fastmlp.tables.options import ReadOptions
from fastmlp.tables.sniffing import Layout, sniff


def layout(text: str, **options: str) -> Layout:
    return sniff(text.encode(), ReadOptions(**options))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "separator", "n_columns"),
    [
        ("a,b\n1,2\n", ",", 2),
        ("a;b;c\n1,5;2,5;3\n4,5;2,25;1\n", ";", 3),
        ("1,5;2,5;3\n4,5;2,25;1\n", ";", 3),
        ("t;v\n2020-01-01 10:00:00;1,5\n2020-01-01 11:00:00;1,6\n", ";", 2),
        ("a\tb\n1\tx, y\n2\tz; w\n", "\t", 2),
        ("a|b\nx y|1\n", "|", 2),
        ("a   b c\n1 22  3\n", " ", 3),
        ("x y\n1 2\n", " ", 2),
        ('1.5   8   30\t"a b"\n2.5   6   40\t"c"\n', " ", 4),
        ("x\n1.5\n", "\x1f", 1),
        ("x\n1,5\n2,5\n", "\x1f", 1),
        ("name\nSmith, John\nDoe, Jane\n", "\x1f", 1),
        ("text\nhello, world\nfoo\nbar, baz, q\n", "\x1f", 1),
        ("text\nthis is a text\nand another\n", "\x1f", 1),
        ("A title, in words\n\na;b\n1;2\n3;4\n", ";", 2),
        # Most rows decide; the others are for the parser to refuse.
        ("a,b\n1,2\n3\n4,5\n", ",", 2),
        ("", ",", 0),
    ],
)
def test_separators(text: str, separator: str, n_columns: int) -> None:
    found = layout(text)
    assert found.n_columns == n_columns
    assert not n_columns or found.dialect.separator == separator


@pytest.mark.parametrize(
    ("text", "quote", "escapes", "loose", "runs"),
    [
        ('a,b\n"x",1\n', '"', False, False, False),
        ("a,b\n'x, y',1\n'z',2\n'it''s',3\n", "'", False, False, False),
        ("a,b\n'tis,1\nx,2\n", '"', False, False, False),
        ('a,b\n"say \\"hi\\", ok",1\n', '"', True, False, False),
        ('a,b\n"C:\\",1\n"D:\\x",2\n', '"', False, False, False),
        ('a, "b, c"\n1, "x, y"\n', '"', False, True, False),
        ('a,b\nx, 5" "pipe\n', '"', False, False, False),
        ('"a" "b"\n"x y" 1\n"z" 2\n', '"', False, False, True),
        ("a b c\n1  3\n4 5 6\n 7 8\n", '"', False, False, False),
    ],
)
def test_quotes_and_blanks(text: str, quote: str, escapes: bool, loose: bool, runs: bool) -> None:
    found = layout(text).dialect
    assert (found.quote, found.escapes, found.loose) == (quote, escapes, loose)
    assert found.runs is runs


def test_quotes_below_the_first_lines() -> None:
    rows = "".join(f"{place},x\n" for place in range(20_000))
    assert layout(f'a,b\n{rows}1,"say \\"hi\\"!"\n').dialect.escapes
    assert layout(f'a,b\n{rows}1, "x, y"\n').dialect.loose


@pytest.mark.parametrize(
    ("text", "header", "titles"),
    [
        ("a,b,\n1,2\n3,4\n", ("a", "b"), ()),
        ("a,b\n1,2,\n3,4,\n", ("a", "b", ""), ()),
        ("mpg,cyl\nMazda,5,6\nFiat,7,8\n", ("", "mpg", "cyl"), ()),
        ("a,b\n1,2,3\n4,5,6\n", ("a", "b"), ()),
        ("My title\na,b\n1,2\n3,4\n", ("a", "b"), ("My title",)),
        ("# x\n# a,b\n1,2\n3,4\n", ("a", "b"), ()),
        ("# x\na,b\n1,2\n3,4\n", ("a", "b"), ()),
        ("#,a\n1,x\n2,y\n", ("", "a"), ()),
        ("#a,b\nu,v\nx,y\n", ("a", "b"), ()),
        ("# by me, in May\na,b\nx,y\n", ("a", "b"), ()),
    ],
)
def test_headers(text: str, header: tuple[str, ...], titles: tuple[str, ...]) -> None:
    found = layout(text)
    assert (found.header, found.titles) == (header, titles)


def test_what_the_user_says_is_not_doubted() -> None:
    text = "a,b;c\n1,2;3\n4,5;6\n"
    assert layout(text, separator=";").n_columns == 2
    assert layout(text, separator="|").n_columns == 1
    assert sniff(text.encode(), ReadOptions(header=False)).header is None


def test_long_lines_are_seen_whole() -> None:
    names = ";".join(f"column {place}" for place in range(90_000))
    cells = ";".join(["1,5"] * 90_000)
    assert layout(f"{names}\n{cells}\n{cells}\n").n_columns == 90_000


@pytest.mark.parametrize("mark", [":", "^", "~", "!", "&", "\x01"])
def test_rare_separators_are_seen_where_each_line_has_as_many(mark: str) -> None:
    lines = ["a,b,y".replace(",", mark), *(f"{n}.5{mark}u{mark}v" for n in range(6))]
    layout = sniff("\n".join(lines).encode(), ReadOptions())
    assert (layout.dialect.separator, layout.header) == (mark, ("a", "b", "y"))


@pytest.mark.parametrize(
    "lines",
    [
        ["time", *["12:30"] * 9],
        ["a:b", "1:2", "3", *["4:5"] * 9],
        ["a:b", "1:2"],
        ["a:b^c", *["1:2^3"] * 9],
        ["first last", *["ann smith"] * 9],
        ["text", *["it was so"] * 9],
    ],
)
def test_what_does_not_part_all_lines_is_no_separator(lines: list[str]) -> None:
    assert sniff("\n".join(lines).encode(), ReadOptions()).n_columns == 1


def test_columns_of_words_may_stand_between_blanks() -> None:
    lines = ["name town y", *["ann rome yes", "bob  oslo no"] * 5]
    layout = sniff("\n".join(lines).encode(), ReadOptions())
    assert (layout.dialect.runs, layout.header) == (True, ("name", "town", "y"))
