"""The holes that other dashboards had, and the checks that every request passes."""

import logging
from base64 import b64encode
from time import monotonic
from typing import Any
from uuid import UUID

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient
from tallystick import ConfigurationError, Runner, State
from tallystick_dashboard import DashboardSettings, Permission, User, dashboard

from .application import SCRIPT, add, add_schedule, discard, retry
from .conftest import BROWSER, PROGRAM, Visit

STORES = ("memory",)  # the checks do not depend on the store
TOKEN = "0123456789abcdef-token"
READ_TOKEN = "0123456789abcdef-reads"
FORM = {"content-type": "application/x-www-form-urlencoded"}


def state_of(runner: Runner, id: UUID) -> State:
    return runner.get(id).state


def test_off_loopback_it_does_not_start_without_authentication() -> None:
    """An open address needs a token, Basic credentials or a hook."""
    for host in ("0.0.0.0", "::", "192.168.1.5", "jobs.example.com"):
        with pytest.raises(ConfigurationError, match="open to everyone"):
            DashboardSettings(host=host).check_addresses()
        DashboardSettings(host=host, token=TOKEN).check_addresses()
    with pytest.raises(ConfigurationError, match=r"0\.0\.0\.0"):
        DashboardSettings(control_host="0.0.0.0", control_port=1).check_addresses()
    for host in ("127.0.0.1", "::1", "localhost"):
        DashboardSettings(host=host).check_addresses()


def test_without_authentication_it_serves_this_machine_only(runner: Runner) -> None:
    """When mounted in an application on an open address, a request of another machine is rejected."""
    app = dashboard(runner, allowed_hosts=("testserver",))
    assert TestClient(app, client=("203.0.113.9", 1)).get("/api/queues").status_code == 403
    local = TestClient(app, client=("127.0.0.1", 1))
    assert local.get("/api/queues").status_code == 200
    assert local.get("/api/queues", headers={"x-forwarded-for": "203.0.113.9"}).status_code == 403
    assert TestClient(app).get("/api/queues").status_code == 403  # its address is no IP


@pytest.mark.parametrize("host", ["attacker.example", "testserver.attacker.example", "", "127.0.0.1.nip.io", "[::2]"])
def test_a_foreign_host_is_rejected(browser: TestClient, host: str) -> None:
    """DNS rebinding fails: the Host header must be a known name."""
    assert browser.get("/", headers={"host": host}).status_code == 421


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8642", "[::1]", "[::1]:8642", "TESTSERVER:80"])
def test_known_hosts_are_accepted(browser: TestClient, host: str) -> None:
    """Names of loopback and allowed names, in any case, with or without a port."""
    assert browser.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers", [{"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "", "origin": "null"}, {"sec-fetch-site": ""}]
)
def test_a_form_of_another_site_changes_nothing(browser: TestClient, runner: Runner, headers: dict[str, str]) -> None:
    """CSRF with form encoding, with Origin `null`, and by a browser that sends neither header."""
    id = discard(runner.backend)
    for path in (f"/jobs/{id}/requeue", f"/jobs/{id}/delete", f"/api/jobs/{id}/requeue"):
        assert browser.post(path, headers={**FORM, **headers}).status_code == 403
    assert state_of(runner, id) is State.DISCARDED


def test_the_api_accepts_json_only(program: TestClient, runner: Runner) -> None:
    """A form, which any site can send without a preflight, is no body of the API."""
    sent = program.post("/api/queues/pause", content='{"name": "emails"}', headers={"content-type": "text/plain"})
    assert sent.status_code == 415
    assert not any(queue.paused for queue in runner.backend.queues())


def test_a_get_changes_nothing(browser: TestClient, runner: Runner) -> None:
    """Actions are POST only."""
    id = discard(runner.backend)
    assert browser.get(f"/jobs/{id}/requeue").status_code == 405
    assert state_of(runner, id) is State.DISCARDED


ACTIONS = ["requeue", "cancel", "delete", "update", "rerun"]


def changing_requests(id: UUID) -> list[tuple[str, dict[str, Any]]]:
    """Return every request of the API that changes something."""
    on_job: list[tuple[str, dict[str, Any]]] = [(f"/api/jobs/{id}/{action}", {"priority": 3}) for action in ACTIONS]
    named: list[tuple[str, dict[str, Any]]] = [
        (f"/api/schedules/{action}", {"name": "hourly"}) for action in ("pause", "resume", "run", "remove")
    ]
    return [
        *on_job,
        *named,
        ("/api/jobs", {"kind": "greet", "payload": {"name": "x"}}),
        ("/api/bulk", {"action": "requeue", "filter": {"state": ["discarded"]}}),
        ("/api/queues/pause", {"name": "emails"}),
        ("/api/queues/resume", {"name": "emails"}),
        ("/api/schedules", {"name": "n", "rule": "@daily", "kind": "greet"}),
    ]


def test_read_only_rejects_every_action(visit: Visit, runner: Runner) -> None:
    """A read-only dashboard changes nothing, by the API and by forms, and logs each attempt."""
    client = visit(PROGRAM, read_only=True)
    add_schedule(runner)
    id, waiting = discard(runner.backend), add(runner.backend)
    before = (runner.backend.stats(), runner.backend.schedules(), runner.backend.queues())
    for path, body in changing_requests(id):
        assert client.post(path, json=body).status_code == 403, path
    for form in (f"/jobs/{id}/requeue", f"/jobs/{waiting}/cancel", f"/jobs/{id}/delete", f"/jobs/{id}/rerun"):
        assert client.post(form, headers={**BROWSER, **FORM}).status_code == 403, form
    for path, text in (
        ("/queues/pause", "name=emails"),
        ("/schedules/remove", "name=hourly"),
        ("/bulk", "action=delete&state=discarded"),
        ("/enqueue", "kind=greet&field.name=x"),
    ):
        assert client.post(path, content=text, headers={**BROWSER, **FORM}).status_code == 403, path
    assert (runner.backend.stats(), runner.backend.schedules(), runner.backend.queues()) == before
    rejected = client.get("/api/audit").json()
    assert rejected
    assert not any(entry["allowed"] for entry in rejected)


def test_every_changing_endpoint_is_in_the_test_of_read_only(visit: Visit) -> None:
    """A new endpoint that changes something must be added to that test."""
    paths = visit(PROGRAM).get("/api/openapi.json").json()["paths"]
    posts = {path for path, methods in paths.items() if "post" in methods}
    known = {path.replace(str(UUID(int=0)), "{id}") for path, _ in changing_requests(UUID(int=0))}
    assert posts - known == {"/api/bulk/preview", "/api/bulk/{id}/stop"}


def test_each_permission_allows_its_own_action_only(visit: Visit, runner: Runner) -> None:
    """A user who may requeue may not delete."""
    client = visit(PROGRAM, permissions=("requeue",))
    id = discard(runner.backend)
    assert client.post(f"/api/jobs/{id}/delete").status_code == 403
    assert client.post(f"/api/jobs/{id}/requeue").json() == {"changed": [str(id)]}
    page = visit(permissions=("requeue",)).get(f"/jobs/{discard(runner.backend)}").text
    assert "Run again now" in page
    assert "/delete" not in page


def test_a_user_of_the_hook_never_exceeds_the_settings(visit: Visit, runner: Runner) -> None:
    """The hook returns a user, who has at most the permissions of the settings. A stranger is rejected."""

    def authenticate(request: Request) -> User | None:
        name = request.headers.get("x-user")
        return User(name=name, permissions=frozenset({Permission.DELETE, Permission.REQUEUE})) if name else None

    client = visit(PROGRAM, authenticate=authenticate, permissions=("requeue",), can_see_payloads=False)
    id = discard(runner.backend)
    assert client.get("/api/queues").status_code == 401
    assert client.post(f"/api/jobs/{id}/delete", headers={"x-user": "ada"}).status_code == 403
    assert client.get(f"/api/jobs/{id}", headers={"x-user": "ada"}).json()["hidden"] is True
    assert client.post(f"/api/jobs/{id}/requeue", headers={"x-user": "ada"}).status_code == 200
    assert client.get("/api/audit", headers={"x-user": "ada"}).json()[0]["user"] == "ada"


def test_an_async_hook_is_awaited(visit: Visit) -> None:
    """The hook may be async, as the host application's session often is."""

    async def authenticate(request: Request) -> User | None:
        return User(name="ada") if "x-user" in request.headers else None

    client = visit(PROGRAM, authenticate=authenticate)
    assert client.get("/api/queues", headers={"x-user": "ada"}).status_code == 200
    assert client.get("/api/queues").status_code == 401


def test_a_token_by_header(visit: Visit) -> None:
    """Programs send the token; a wrong one is rejected. It also replaces the browser's headers of origin."""
    client = visit({"accept": "application/json"}, token=TOKEN, read_token=READ_TOKEN)
    pause = {"json": {"name": "emails"}}
    for token, reads, changes in ((TOKEN, 200, 200), (READ_TOKEN, 200, 403), ("wrong", 401, 401), ("", 401, 401)):
        headers = {"authorization": f"Bearer {token}"}
        assert client.get("/api/queues", headers=headers).status_code == reads
        assert client.post("/api/queues/pause", headers=headers, **pause).status_code == changes  # type: ignore[arg-type]
    assert client.get("/metrics").status_code == 401
    assert client.get("/api/openapi.json").status_code == 401


def test_login_by_token(visit: Visit) -> None:
    """The page asks for the token, sets a strict cookie, and leads back. Logging out deletes the cookie."""
    client = visit(token=TOKEN)
    asked = client.get("/failures")
    assert asked.status_code == 401
    assert 'name="token"' in asked.text
    assert client.post("/login", data={"token": "wrong", "back": "/failures"}).status_code == 401
    entered = client.post("/login", data={"token": TOKEN, "back": "/failures"})
    assert (entered.status_code, entered.headers["location"]) == (303, "/failures")
    cookie = entered.headers["set-cookie"].lower()
    assert all(part in cookie for part in ("httponly", "samesite=strict", "path=/"))
    assert client.get("/failures").status_code == 200
    assert client.post("/logout").status_code == 303
    assert client.get("/failures").status_code == 401


@pytest.mark.parametrize("back", ["https://attacker.example/", "//attacker.example", "/\\attacker.example"])
def test_login_leads_to_no_other_site(visit: Visit, back: str) -> None:
    """The page after the login is one of the dashboard's."""
    entered = visit(token=TOKEN).post("/login", data={"token": TOKEN, "back": back})
    assert entered.headers["location"] == "/"


def test_a_forged_or_old_cookie_is_rejected(visit: Visit) -> None:
    """Only a cookie that was signed with the tokens counts, until it expires."""
    client = visit(token=TOKEN)
    for cookie in ("", "token", "token.9999999999.AAAA", "token.x.y", "...."):
        assert client.get("/", headers={"cookie": f"tallystick_session={cookie}"}).status_code == 401
    from tallystick_dashboard.security.sessions import LONGEST, Sessions  # noqa: PLC0415

    ours, others = Sessions([TOKEN]), Sessions(["another-token-of-16"])
    assert ours.read(ours.issue("token")) == "token"
    assert others.read(ours.issue("token")) is None
    old = Sessions([TOKEN], clock=lambda: 0.0).issue("token")
    assert ours.read(old) is None
    assert LONGEST < 24 * 3_600


def test_basic_credentials(visit: Visit) -> None:
    """The browser asks for user and password by itself."""
    client = visit(basic="ada:correct horse")
    asked = client.get("/")
    assert asked.status_code == 401
    assert asked.headers["www-authenticate"].startswith("Basic")
    right, wrong = (b64encode(text.encode()).decode() for text in ("ada:correct horse", "ada:wrong horse"))
    assert client.get("/", headers={"authorization": f"Basic {right}"}).status_code == 200
    for credentials in (wrong, "%%%", ""):
        assert client.get("/", headers={"authorization": f"Basic {credentials}"}).status_code == 401


def test_no_page_can_be_framed_or_sniffed(visit: Visit) -> None:
    """Every response, the login page and errors included, forbids framing and inline scripts."""
    client = visit(token=TOKEN)
    for path in ("/", "/login", "/nothing", "/api/queues", "/healthz"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert "require-trusted-types-for 'script'" in policy
        assert "unsafe-inline" not in policy
        assert "unsafe-eval" not in policy
        assert (headers["x-frame-options"], headers["x-content-type-options"]) == ("DENY", "nosniff")
        assert headers["cache-control"] == "no-store"


def test_each_response_has_a_new_nonce(browser: TestClient) -> None:
    """A nonce that was seen once is of no use."""
    policies = {browser.get("/").headers["content-security-policy"] for _ in range(3)}
    assert len(policies) == 3


def test_no_text_of_a_job_becomes_html(browser: TestClient, runner: Runner) -> None:
    """Kinds, tags, errors, payloads and names of schedules are text on every page."""
    payload = b'{"name": "<script>alert(\'payload\')</script>"}'
    id = discard(runner.backend, SCRIPT, SCRIPT, payload=payload, tags=(SCRIPT,), unique_key=SCRIPT, queue="emails")
    add(runner.backend, kind=SCRIPT, queue=SCRIPT)
    add_schedule(runner, name=SCRIPT)
    runner.backend.pause(SCRIPT)
    paths = ["/", "/jobs", f"/jobs/{id}", "/failures", "/queues", "/schedules", "/audit", f"/jobs?tag={SCRIPT}"]
    for path in (*paths, f"/schedules/edit?name={SCRIPT}", f"/bulk?action=requeue&kind={SCRIPT}", f"/jobs/{SCRIPT}"):
        text = browser.get(path).text
        assert "<script>alert" not in text, path
        assert text.count("<script") == text.count('<script nonce="'), path


def test_every_element_of_htmx_carries_the_nonce(browser: TestClient, runner: Runner) -> None:
    """Htmx ignores elements without the nonce, so HTML that was smuggled in cannot act."""
    add_schedule(runner)
    retry(runner.backend)
    for path in ("/", "/jobs", "/failures", "/schedules", "/schedules/edit", "/queues", "/workers"):
        text = browser.get(path).text
        assert text.count("hx-get=") == text.count("hx-nonce="), path


@pytest.mark.parametrize(
    "rule",
    [
        "0-99999999999 * * * *",
        "*/0 * * * *",
        "0 0 30 2 *",
        "every 99999999999999 days",
        "* * * * *" * 40,
        "every 1 second" + " " * 300,
        "1,2,3," * 60 + "4 * * * *",
        "@reboot",
        "\x00",
    ],
)
def test_no_rule_takes_long_or_much_memory(browser: TestClient, program: TestClient, rule: str) -> None:
    """A text that would allocate gigabytes elsewhere is rejected at once."""
    began = monotonic()
    answer = program.get("/api/schedules/preview", params={"rule": rule})
    assert answer.status_code == 422
    assert browser.get("/schedules/preview", params={"rule": rule}).status_code == 200
    assert monotonic() - began < 60  # seconds, on any machine


def test_health_needs_no_login_and_shows_nothing(visit: Visit) -> None:
    """A probe has no token and often another Host. It learns only whether the store responds."""
    answer = visit(token=TOKEN).get("/healthz", headers={"host": "10.0.0.7"})
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_every_action_is_logged(program: TestClient, runner: Runner, caplog: pytest.LogCaptureFixture) -> None:
    """The audit log has who, what, on which filter, and how many."""
    id = discard(runner.backend)
    with caplog.at_level(logging.INFO, "tallystick.audit"):
        program.post(f"/api/jobs/{id}/requeue")
        program.post("/api/queues/pause", json={"name": "emails"})
    entries = program.get("/api/audit").json()
    assert [(entry["user"], entry["action"], entry["on"], entry["changed"]) for entry in entries] == [
        ("local", "pause queue", "queue=emails", 1),
        ("local", "requeue", f"id={id}", 1),
    ]
    assert f"local did requeue on id={id}: 1 changed" in caplog.messages


def test_a_large_body_is_rejected(program: TestClient) -> None:
    """A body is read up to a limit."""
    headers = {"content-type": "application/json"}
    assert program.post("/api/jobs", content=b" " * 9_000_000, headers=headers).status_code == 413


def test_static_files_lead_out_of_no_folder(browser: TestClient) -> None:
    """Only files of the folder `static` are served, whatever the path."""
    for name in ("../app.py", "%2e%2e/app.py", "..%2fapp.py", "/etc/passwd", "vendor/htmx.org/LICENSE"):
        assert browser.get(f"/static/x/{name}").status_code in (307, 404)
