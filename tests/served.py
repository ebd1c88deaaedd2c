"""A small server that speaks OpenAI's protocol over a tiny model, and behaves badly on demand."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

Answer = tuple[int, str | dict[str, Any], dict[str, str]]
"""Status, body and headers."""


@dataclass
class Served:
    """What the server does. `before` may answer in the model's place; it gets the path and the number of the call."""

    name: str = "tiny"
    folder: Path | None = None
    gives_logprobs: bool = True
    puts_bos: bool = False
    before: Callable[[str, int], Answer | None] = lambda *_: None
    metrics: Callable[[], str] | None = None
    url: str = ""
    paths: list[str] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    lock: Any = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        if self.folder:
            self.model = AutoModelForCausalLM.from_pretrained(self.folder)
            self.tokenizer = AutoTokenizer.from_pretrained(self.folder)

    def answer(self, path: str, body: dict[str, Any]) -> Answer:
        if path == "/v1/models":
            return 200, {"object": "list", "data": [{"id": self.name, "created": len(self.paths)}]}, {}
        if path == "/metrics" and self.metrics is not None:
            return 200, self.metrics(), {"Content-Type": "text/plain; version=0.0.4"}
        if not body:
            return 404, {"detail": "Not Found"}, {}
        if body["model"] != self.name:
            return 404, {"error": {"message": f"The model {body['model']} does not exist"}}, {}
        if path == "/v1/chat/completions":
            text = f"You said: {str(body['messages'][0]['content'])[-20:]}"
            return 200, {"choices": [{"message": {"role": "assistant", "content": text}}], "usage": _usage(3, 4)}, {}
        return 200, self.complete(body), {}

    def complete(self, body: dict[str, Any]) -> dict[str, Any]:
        """The plain forward pass, one text at a time."""
        ids = self.tokenizer(body["prompt"], add_special_tokens=False)["input_ids"]
        ids = ([1] if self.puts_bos else []) + ids
        read = len(ids)
        with torch.inference_mode():
            for _ in range(body["max_tokens"]):
                logits = self.model(torch.tensor([ids])).logits[0].double().log_softmax(-1)
                ids.append(int(logits[-1].argmax()))
                if ids[-1] == self.tokenizer.eos_token_id and not body.get("echo"):
                    break
        tokens = [self.tokenizer.decode([token]) for token in ids]
        choice: dict[str, Any] = {"text": self.tokenizer.decode(ids[read:], skip_special_tokens=True)}
        if self.gives_logprobs and body.get("echo"):
            best = logits.max(-1)
            chosen = [float(logits[at, token]) for at, token in enumerate(ids[1:])]
            choice["logprobs"] = {
                "tokens": tokens,
                "token_logprobs": [None, *chosen],
                "top_logprobs": [None, *({"?": float(value)} for value in best.values[: len(chosen)])],
                "text_offset": self.offsets(body["prompt"], ids),
            }
        return {"choices": [choice], "usage": _usage(read, len(ids) - read)}

    def offsets(self, prompt: str, ids: list[int]) -> list[int]:
        """Where each token begins; the tokenizer's own word, for characters that are cut into several tokens."""
        found = [start for start, _ in self.tokenizer(prompt, return_offsets_mapping=True)["offset_mapping"]]
        found = ([-3] if self.puts_bos else []) + found
        return found + [len(prompt)] * (len(ids) - len(found))


def _usage(read: int, wrote: int) -> dict[str, int]:
    return {"prompt_tokens": read, "completion_tokens": wrote}


@contextmanager
def serving(served: Served, port: int = 0) -> Iterator[Served]:
    """The server on a port of loopback while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.respond({})

        def do_POST(self) -> None:
            self.respond(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def respond(self, body: dict[str, Any]) -> None:
            with served.lock:
                served.paths.append(self.path)
                served.bodies.append(body)
                served.keys.append(self.headers["Authorization"])
                call = len(served.paths)
            status, content, headers = served.before(self.path, call) or served.answer(self.path, body)
            data = (content if isinstance(content, str) else json.dumps(content)).encode()
            try:
                self.send_response(status)
                for name, value in {"Content-Length": str(len(data)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    served.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
