from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tallystick import NO_META, InvalidArgument, Meta, MetaTooLarge

any_text = st.text(st.characters(), max_size=20)
keys = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=64)


@given(st.dictionaries(keys, any_text, max_size=5))
def test_meta_is_kept_as_json(values: dict[str, str]) -> None:
    """Any text survives JSON in ASCII, with NUL and lone surrogates; equal meta has equal hashes."""
    meta = Meta(values)
    assert meta == values
    assert meta.to_json().isascii()
    assert Meta.from_json(meta.to_json()) == meta
    assert hash(Meta.from_json(meta.to_json())) == hash(meta)
    assert list(Meta.from_json(meta.to_json())) == list(values)


def test_meta_does_not_change() -> None:
    """Meta is a copy of the mapping, and has no way to change it."""
    values = {"a": "1"}
    meta = Meta(values)
    values["a"] = "2"
    assert meta["a"] == "1"
    with pytest.raises(TypeError):
        meta["a"] = "2"  # type: ignore[index]


@pytest.mark.parametrize(
    "values", [{"": "1"}, {"a\n": "1"}, {"x" * 65: "1"}, {1: "1"}, {"a": 1}, {"a": None}, {"a": b"1"}, [], "a", None]
)
def test_meta_is_text(values: Any) -> None:
    """Keys are short printable text, values are text; anything else is rejected."""
    with pytest.raises(InvalidArgument):
        Meta(values)


def test_meta_is_capped() -> None:
    """More than 32 keys, or more than 4,096 bytes of JSON, raise `MetaTooLarge`."""
    assert len(Meta({str(n): "" for n in range(32)})) == 32
    with pytest.raises(MetaTooLarge, match="33 keys"):
        Meta({str(n): "" for n in range(33)})
    assert Meta({"a": "x" * (4_096 - len('{"a": ""}'))})
    with pytest.raises(MetaTooLarge, match="4,097 bytes"):
        Meta({"a": "x" * (4_097 - len('{"a": ""}'))})


@pytest.mark.parametrize("text", ["", "null", "[1]", '{"a": 1}', "{" * 100_000, b"\xff", "x" * 100_000])
def test_unreadable_meta_is_shown(text: str | bytes) -> None:
    """A damaged value never raises; it is shown under a key of its own."""
    assert set(Meta.from_json(text)) == {"unreadable"}


def test_none_is_no_meta() -> None:
    """A store may keep None for a job without meta."""
    assert Meta.from_json(None) is NO_META
    assert not NO_META
