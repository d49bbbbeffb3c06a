"""Texts in other grammars become plain ones, line by line."""

from __future__ import annotations

import pytest

from fastmlp.tables.dialect import Dialect, plain

CASES = [
    (Dialect(","), b'a, "b"\n', b'a, "b"\n'),
    (Dialect(",", loose=True), b'a, "b, c" ,d\n  "e",f, "g" h\n', b'a,"b, c" ,d\n"e",f, "g" h\n'),
    (Dialect(",", loose=True), b'"a, "" b","c"\n', b'"a, "" b","c"\n'),
    (Dialect(",", escapes=True), rb'"a \"b\" \\ \n",\"' + b"\n", rb'"a ""b"" \ \n",\"' + b"\n"),
    (Dialect(",", escapes=True, loose=True), rb'1, "a \"b\""', rb'1,"a ""b"""'),
    (Dialect(",", quote="'", escapes=True), rb"'it\'s',1", rb"'it''s',1"),
    (Dialect(" ", runs=True), b" a  b\t c \r\n\r\n 1 2 3", b"a\tb\tc\r\n\r\n1\t2\t3"),
    (Dialect(" ", runs=True), b'"a  b"  c"d  \n  \n"e ""f"" " 1', b'"a  b"\tc"d\n\n"e ""f"" "\t1'),
    (Dialect(",", comment="#"), b"# x\na,#b\n #c\n", b"\na,#b\n\n"),
    (Dialect(",", comment="#"), b'# "x\na,"\n#b"\n#c\r#d', b'\na,"\n#b"\n\r'),
]


@pytest.mark.parametrize(("dialect", "text", "rewritten"), CASES)
def test_texts_become_plain(dialect: Dialect, text: bytes, rewritten: bytes) -> None:
    found = plain(text, dialect)
    assert found == rewritten
    assert [found.count(end) for end in (b"\n", b"\r")] == [text.count(b"\n"), text.count(b"\r")]


def test_marks() -> None:
    assert Dialect(";").mark == b";"
    assert Dialect(" ").mark == b" "
    assert Dialect(" ", runs=True).mark == b"\t"
