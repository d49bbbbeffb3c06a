import pytest

from fastmlp.tables.wrapped import unwrapped


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_quotes_around_whole_lines_are_taken_off(end: bytes) -> None:
    data = end.join([b'"a,b"', b'"1,""u, v"""', b'"2,w";;', b""])
    found, (note,) = unwrapped(data)
    assert found == b'a,b\n1,"u, v"\n2,w\n'
    assert "whole lines stand in quotes" in note.text


def test_the_header_may_stand_without() -> None:
    assert unwrapped(b'a;b\n"1;2"\n"3;4"\n')[0] == b"a;b\n1;2\n3;4\n"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b'"a,b"\n',
        b'a,b\n"1","2"\n',
        b'text\n"hello, world"\n"one, two"\n',
        b'"a"\n"1,2"\n"3"\n',
        b'"a, b"\n"one"\n',
    ],
)
def test_other_texts_stay(data: bytes) -> None:
    assert unwrapped(data) == (data, [])
