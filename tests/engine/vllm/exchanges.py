"""What a real server answered to whom asked it what: kept when `make vllm` runs, and given again in its place."""

import json
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

__all__ = ["exchanged", "standing_in"]


class Exchanges:
    """Answers by what was asked; with an `upstream`, what isn't known is asked there and kept."""

    def __init__(self, path: Path, upstream: str | None = None) -> None:
        self.path, self.upstream = path, upstream
        self.known: dict[str, dict[str, Any]] = {}
        if upstream is None:
            self.known = {_key(one["path"], one["asked"]): one for one in json.loads(path.read_text("utf-8"))}

    def answer(self, path: str, asked: Any) -> tuple[int, Any]:
        """Status and body. What was never asked of the real server is an error that says so."""
        key = _key(path, asked)
        if key not in self.known and self.upstream is not None:
            status, said = _sent(f"{self.upstream}{path}", asked)
            self.known[key] = {"path": path, "asked": asked, "status": status, "said": said}
        found = self.known.get(key)
        if found is None:
            return 500, {"error": {"message": f"not recorded, run make vllm: {key}"}}
        return int(found["status"]), found["said"]

    def keep(self) -> None:
        """Write all that was answered, but for what nobody reads."""
        rows = [_trimmed(self.known[key]) for key in sorted(self.known)]
        lines = ",\n".join(json.dumps(row, ensure_ascii=False, sort_keys=True) for row in rows)
        self.path.write_text(f"[\n{lines}\n]\n", "utf-8")


@contextmanager
def exchanged(path: Path, server: AbstractContextManager[str] | None) -> Iterator[Exchanges]:
    """The answers of a real server, by its address, which are kept; without one those that were."""
    if server is None:
        yield Exchanges(path)
        return
    with server as url:
        found = Exchanges(path, url)
        yield found
        found.keep()


def _trimmed(exchange: dict[str, Any]) -> dict[str, Any]:
    """Without histograms, without log-probabilities said twice, and without the folder on the server's machine."""
    said = exchange["said"]
    if isinstance(said, str):
        lines = [line for line in said.splitlines() if "_bucket{" not in line and "_created" not in line]
        said = "".join(f"{line}\n" for line in lines if not line.startswith(("python_", "process_")))
    else:
        for choice in said.get("choices", ()):
            choice.pop("prompt_logprobs", None)
        for model in said.get("data", ()):
            model.pop("root", None)
    return {**exchange, "said": said}


def _key(path: str, asked: Any) -> str:
    return f"{path} {json.dumps(asked, sort_keys=True, ensure_ascii=False)}"


def _sent(url: str, asked: Any) -> tuple[int, Any]:
    data = None if asked is None else json.dumps(asked).encode()
    try:
        with urlopen(Request(url, data, {"Content-Type": "application/json"}), timeout=300) as response:
            status, content = response.status, response.read()
    except HTTPError as error:
        status, content = error.code, error.read()
    try:
        return status, json.loads(content)
    except ValueError:
        return status, content.decode(errors="replace")


@contextmanager
def standing_in(exchanges: Exchanges) -> Iterator[str]:
    """The address of a server that answers so, while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.respond(None)

        def do_POST(self) -> None:
            self.respond(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def respond(self, asked: Any) -> None:
            status, said = exchanges.answer(self.path, asked)
            data = (said if isinstance(said, str) else json.dumps(said)).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
