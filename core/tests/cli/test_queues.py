from tallystick import Backend, NewRecord, Queue

from .conftest import Cli


def test_list_tells_which_queues_are_paused(cli: Cli, store: Backend) -> None:
    """Every known queue by name."""
    store.insert([NewRecord(kind="a", queue="emails")])
    store.pause("reports")
    lines = cli("queues", "list").out.splitlines()
    assert [line.split() for line in lines] == [["queue", "state"], ["emails", "open"], ["reports", "paused"]]
    assert cli("queues", "list", "--json").json == [
        {"name": "emails", "paused": False},
        {"name": "reports", "paused": True},
    ]


def test_pause_and_resume_take_several_names(cli: Cli, store: Backend) -> None:
    """Each is kept in the store; pausing may come before the first job."""
    assert cli("queues", "pause", "a", "b", "c").out == "paused: a\npaused: b\npaused: c\n"
    assert cli("queues", "resume", "a", "b").out == "resumed: a\nresumed: b\n"
    assert store.queues() == [Queue("a", paused=False), Queue("b", paused=False), Queue("c", paused=True)]


def test_a_repeat_is_harmless(cli: Cli) -> None:
    """What is paused or open already is so afterwards, and the exit code is 0."""
    answers = [cli("queues", command, "a", "--json") for command in ("pause", "pause", "resume", "resume")]
    assert [answer.code for answer in answers] == [0, 0, 0, 0]
    assert [answer.json for answer in answers] == [[{"name": "a", "paused": paused}] for paused in (1, 1, 0, 0)]


def test_resuming_an_unknown_queue_is_told(cli: Cli, store: Backend) -> None:
    """A misspelt name is on stderr; when no name is known, the exit code is 1."""
    store.pause("emails")
    answer = cli("queues", "resume", "emials", "emails")
    assert (answer.code, answer.out, answer.err) == (
        0,
        "resumed: emails\n",
        "not resumed: emials: no such queue\n",
    )
    answer = cli("queues", "resume", "emials", "--json")
    assert (answer.code, answer.json) == (1, [])


def test_a_name_that_no_store_holds_is_refused(cli: Cli) -> None:
    """The contract's own message, and exit code 2."""
    answer = cli("queues", "pause", "a\nb")
    assert answer.code == 2
    assert answer.err.startswith("error: queue is 'a\\nb'; it must be ")
