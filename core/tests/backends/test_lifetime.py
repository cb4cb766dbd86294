"""The end of a client, in its process and in a forked child."""

import os

import pytest
from tallystick import Closed
from tallystick.backends.lifetime import Lifetime


def test_an_open_client() -> None:
    """Before the end, a check passes and a sleep lasts its time."""
    lifetime = Lifetime()
    lifetime.check()
    assert not lifetime.has_ended
    assert lifetime.sleep(0)


def test_a_closed_client() -> None:
    """After the end, a check raises and a sleep returns at once; only the first end counts."""
    lifetime = Lifetime()
    assert lifetime.end()
    assert not lifetime.end()
    assert lifetime.has_ended
    assert not lifetime.sleep(1_000_000)
    with pytest.raises(Closed, match="was closed; open another"):
        lifetime.check()


@pytest.mark.parametrize("ended", [False, True])
def test_a_forked_child(ended: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a child, a check raises `Closed`, and an end has no effect."""
    lifetime = Lifetime()
    if ended:
        lifetime.end()
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: 0)
        assert not lifetime.end()
        with pytest.raises(Closed, match="forked child"):
            lifetime.check()
    assert lifetime.has_ended == ended
