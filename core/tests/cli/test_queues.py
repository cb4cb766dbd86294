from tallystick import Backend, NewRecord, Queue

from .conftest import Cli


def test_list_shows_which_queues_are_paused(cli: Cli, store: Backend) -> None:
    """`queues list` shows every known queue by name, and whether it is paused."""
    store.insert([NewRecord(kind="a", queue="emails")])
    store.pause("reports")
    lines = cli("queues", "list").out.splitlines()
    assert [line.split() for line in lines] == [["queue", "state"], ["emails", "open"], ["reports", "paused"]]
    assert cli("queues", "list", "--json").json == [
        {"name": "emails", "paused": False},
        {"name": "reports", "paused": True},
    ]


def test_pause_and_resume_take_several_names(cli: Cli, store: Backend) -> None:
    """`queues pause` and `resume` accept several names; a queue can be paused before its first job."""
    assert cli("queues", "pause", "a", "b", "c").out == "paused: a\npaused: b\npaused: c\n"
    assert cli("queues", "resume", "a", "b").out == "resumed: a\nresumed: b\n"
    assert store.queues() == [Queue("a", paused=False), Queue("b", paused=False), Queue("c", paused=True)]


def test_a_repeat_is_harmless(cli: Cli) -> None:
    """Pausing or resuming twice changes nothing more, and the exit code is 0."""
    results = [cli("queues", command, "a", "--json") for command in ("pause", "pause", "resume", "resume")]
    assert [result.code for result in results] == [0, 0, 0, 0]
    assert [result.json for result in results] == [[{"name": "a", "paused": paused}] for paused in (1, 1, 0, 0)]


def test_resuming_an_unknown_queue_is_reported(cli: Cli, store: Backend) -> None:
    """`queues resume` reports an unknown name on stderr; if all are unknown, it exits with 1."""
    store.pause("emails")
    result = cli("queues", "resume", "emials", "emails")
    assert (result.code, result.out, result.err) == (
        0,
        "resumed: emails\n",
        "not resumed: emials: no such queue\n",
    )
    result = cli("queues", "resume", "emials", "--json")
    assert (result.code, result.json) == (1, [])


def test_an_invalid_name_is_rejected(cli: Cli) -> None:
    """An invalid queue name is rejected with the contract's message and exit code 2."""
    result = cli("queues", "pause", "a\nb")
    assert result.code == 2
    assert result.err.startswith("error: queue is 'a\\nb'; it must be ")
