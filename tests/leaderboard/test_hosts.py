"""Who may ask the leaderboard, on pages and websockets alike, with Starlette's own client as the browser."""

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from leaderboard.hosts import ADDRESS, HOSTS, NamedHosts


async def _page(request):
    return PlainTextResponse(request.headers["host"])


async def _socket(websocket):
    await websocket.accept()
    await websocket.send_text(websocket.headers["host"])
    await websocket.close()


@pytest.fixture
def ask(monkeypatch):
    """The host that the app behind the guard sees, by page and by websocket; None where it is refused."""

    def asked(host, origin=None, address="127.0.0.1", named="board.example"):
        monkeypatch.setenv(ADDRESS, address)
        monkeypatch.setenv(HOSTS, named)
        routes = [Route("/", _page), WebSocketRoute("/ws", _socket)]
        client = TestClient(Starlette(routes=routes, middleware=[Middleware(NamedHosts.told)]))
        headers = {"Host": host, **({"Origin": origin} if origin else {})}
        page = client.get("/", headers=headers)
        try:
            with client.websocket_connect("/ws", headers=headers) as websocket:
                heard = websocket.receive_text()
        except WebSocketDisconnect:
            heard = None
        assert (page.text if page.status_code == 200 else None) == heard
        assert heard or "--host" in page.text
        return heard

    return asked


@pytest.mark.parametrize(
    ("host", "origin", "seen"),
    [
        ("127.0.0.1:8501", None, "127.0.0.1:8501"),
        ("localhost:8501", "http://localhost:8501", "localhost:8501"),
        ("LocalHost.:8501", None, "LocalHost.:8501"),
        ("[::1]:8501", "http://[::1]:8501", "[::1]:8501"),
        ("127.9.9.9", None, "127.9.9.9"),
        ("board.example", "https://board.example", "board.example"),
        ("127.0.0.1:8501", "https://board.example", "board.example"),  # a proxy that asks by another name
    ],
)
def test_its_own_names_are_answered_to(ask, host, origin, seen):
    assert ask(host, origin) == seen


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("evil.example", "http://evil.example"),
        ("evil.example:8501", "http://evil.example:8501"),
        ("evil.example:8501", None),
        ("127.0.0.1.evil.example", None),
        ("localhost.evil.example", None),
        ("evil-board.example", None),
        ("board.example.evil", None),
        ("2130706433", None),
        ("0x7f.1", None),
        ("10.0.0.1:8501", "http://10.0.0.1:8501"),
        ("user@localhost", None),
        ("localhost/evil", None),
        ("localhost:8501@evil.example", None),
        ("127.0.0.1:8501", "http://evil.example"),
        ("127.0.0.1:8501", "null"),
        ("127.0.0.1:8501", "file://"),
        ("127.0.0.1:8501", "http://[evil"),
        ("localhost:8501", "http://localhost:3000"),
    ],
)
def test_a_name_that_somebody_else_gave_this_machine_is_not(ask, host, origin):
    assert ask(host, origin) is None


def test_where_every_address_is_listened_on_any_number_is_answered_to_and_no_name(ask):
    assert ask("10.0.0.1:8501", "http://10.0.0.1:8501", address="0.0.0.0") == "10.0.0.1:8501"
    assert ask("evil.example", "http://evil.example", address="0.0.0.0") is None
    assert ask("evil.example", "http://evil.example", address="::") is None


def test_the_address_that_it_listens_on_is_a_name_of_its(ask):
    assert ask("team-board:8501", "http://team-board:8501", address="team-board") == "team-board:8501"
    assert ask("10.0.0.1", address="10.0.0.2") is None
