"""Models that are served: `openai:http://HOST/v1#model`, any server that speaks OpenAI's protocol."""

import ipaddress
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import SplitResult, urlsplit

from harness.checkpoints.loading.dtypes import SERVED
from harness.checkpoints.served.client import Patience, RefusedError, ServerClient
from harness.checkpoints.served.dialect import Dialect
from harness.checkpoints.served.echo import Echo, read_echo
from harness.checkpoints.served.energy import find_energy
from harness.checkpoints.served.tokens import TokenCounters
from harness.core.checkpoints import Checkpoint, GenerationSettings, SourceOptions
from harness.core.errors import CheckpointError, HarnessError, InputError, ModelError, UnavailableError, UnknownName
from harness.core.process.paths import cache_folder, new_cached_file
from harness.core.text.display import elided
from harness.core.text.hashing import SHORT, canonical_json, digest, file_digest
from harness.core.text.reasons import Reason

__all__ = ["ECHO_TOKENS", "EndpointCheckpoints", "address_of", "echo_body", "is_served"]

PREFIX = "openai:"
ABOUT = "endpoint.json"
LASTING = ("id", "owned_by", "root", "parent", "max_model_len", "meta")
"""What servers say of a model that doesn't change from one request to the next, as `created` does in some."""
LONGEST_SAID_BYTES = 2**16
"""Of one of these; what is longer, or no JSON that a record can hold, is left out."""
LONGEST_NAME = 1_000
PROBE = "The cat sat on the"
FEW = 16
"""Tokens that a first answer may have; some models refuse to be asked for less."""
ECHO_TOKENS = 1
"""Tokens written behind an echoed prompt: some servers refuse to write none."""
GREETING = ({"role": "user", "content": "Hi"},)
PINNED = (
    "The weights are the server's and can't be pinned: the fingerprint is of its address, the model's name and what "
    "the server says of it"
)
UNMEASURED = (
    "The energy that the server uses can't be measured from here: neither /energy_metrics nor /metrics counts any"
)
MEASURED = "The energy is that of the server's whole machine, all users' work included, as {path} counts it"
COUNTED = (
    "The tokens read and written are what the server's /metrics count meanwhile, other users' requests to the model "
    "included"
)
NO_TEMPERATURE = "The server takes no temperature: answers are drawn at its own, and differ from one time to the next"
UNLISTED = "The server doesn't list this model, but answers to its name"
IN_THE_CLEAR = "The key is sent over plain HTTP, where others may read it"


class EndpointCheckpoints:
    """A model behind an OpenAI-compatible API."""

    rank = 5

    def accepts(self, ref: str) -> bool:
        """Whether the reference begins with `openai:`."""
        return is_served(ref)

    def fetch(self, ref: str, options: SourceOptions) -> Checkpoint:
        """What the server says of the model, and what it can be asked, found out with a few tiny requests.

        The kind is `completions` where the server gives the log-probabilities of a prompt's own tokens, else `chat`.
        Raises `InputError` for an address that can't be used or a key that is refused, `UnavailableError` where the
        server can't be reached, `UnknownName` or `CheckpointError` where it doesn't serve the model.
        """
        parts = _parts(ref)
        url = address_of(ref)
        local = _is_local(parts.hostname or "")
        if options.offline and not local:
            raise UnavailableError("is another machine, and offline", place=url, fix="Leave --offline out")
        client = ServerClient(url, options.endpoint, Patience(unreachable=2, timeouts=1))
        listed = _listed(client)
        model = parts.fragment or _only(listed, url)
        kind, route, dialect, doubts = _probe(client, model, [str(entry["id"]) for entry in listed])
        known = next((entry for entry in listed if entry["id"] == model), None)
        about = {
            "url": url,
            "model": model,
            "server": {field: known[field] for field in LASTING if _may_be_kept(known.get(field))} if known else None,
        }
        energy = find_energy(url, options.endpoint)
        notes = [PINNED, Reason(MEASURED, path=energy.path.partition("?")[0]) if energy else UNMEASURED, *doubts]
        counts_tokens = bool(TokenCounters(url, model, options.endpoint).read())
        notes += [COUNTED] if counts_tokens else []
        notes += [UNLISTED] if listed and known is None else []
        notes += [] if dialect.takes_temperature else [NO_TEMPERATURE]
        notes += [IN_THE_CLEAR] if parts.scheme == "http" and client.has_key and not local else []
        return _checkpoint(
            f"{PREFIX}{url}#{model}",
            kind,
            about,
            notes,
            {
                "route": route,
                "options": options.endpoint,
                "dialect": dialect,
                "counters": energy,
                "counts_tokens": counts_tokens,
            },
        )


def is_served(ref: str) -> bool:
    """Whether the reference is to a server."""
    return ref.startswith(PREFIX)


def address_of(ref: str) -> str:
    """The address in a reference to a server, without the model's name. Raises `InputError` if it can't be used."""
    parts = _parts(ref)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _checkpoint(ref: str, kind: str, about: dict[str, Any], notes: list[str], more: dict[str, Any]) -> Checkpoint:
    folder = cache_folder() / "endpoints" / digest(about)[:SHORT]
    with new_cached_file(folder / ABOUT) as stream:
        stream.write(json.dumps(about, indent=2, ensure_ascii=False).encode())
    window = (about["server"] or {}).get("max_model_len")
    return Checkpoint(
        ref=ref,
        kind=kind,
        path=folder,
        origin=f"served at {about['url']} as {about['model']}",
        architecture=SERVED,
        dtype=SERVED,
        parameter_count=None,
        size_bytes=None,
        max_length=window if type(window) is int and window > 0 else None,
        has_chat_template=kind == "chat",
        files={ABOUT: file_digest(folder / ABOUT)},
        fingerprint=digest(about),
        notes=tuple(notes),
        config={"url": about["url"], "model": about["model"], **more},
        generation=GenerationSettings(followed={} if more["dialect"].takes_temperature else {"temperature": "server"}),
    )


def _parts(ref: str) -> SplitResult:
    """The address in a reference. Raises `InputError`, which never repeats what may be a secret in it."""
    example = f"Write {PREFIX}http://HOST:PORT/v1#MODEL"
    try:
        parts = urlsplit(ref.removeprefix(PREFIX))
        _ = parts.port
    except ValueError as error:
        # The reason would repeat what stands where the port should.
        raise InputError("is not an address", place=f"--model {PREFIX}...", fix=example) from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError("is not an http or https address", place=f"--model {PREFIX}...", fix=example)
    place = f"--model {PREFIX}{parts.scheme}://{parts.hostname}"
    if parts.username is not None or parts.password is not None:
        raise InputError(
            "contains a user name or password, which would be written into the record",
            place=place,
            fix=f"{example}; a key comes from the environment variable that --api-key-env names",
        )
    if parts.query:
        raise InputError("contains a query, which would be written into the record", place=place, fix=example)
    return parts


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listed(client: ServerClient) -> list[dict[str, Any]]:
    """The models that the server says it has; none where it doesn't tell."""
    try:
        found = client.get("/models", patient=False)
    except RefusedError:
        return []
    entries = found.get("data") if isinstance(found, dict) else None
    if not isinstance(entries, list):
        return []
    named = [entry for entry in entries if isinstance(entry, dict) and isinstance(entry.get("id"), str)]
    return [entry for entry in named if len(entry["id"]) <= LONGEST_NAME]


def _may_be_kept(said: Any) -> bool:
    """Whether canonical JSON holds it, with no NaN and nothing deep, and it is no more than a description."""
    try:
        return said is not None and len(canonical_json(said)) <= LONGEST_SAID_BYTES
    except ValueError:
        return False


def _only(listed: Sequence[dict[str, Any]], url: str) -> str:
    if len(listed) == 1:
        return str(listed[0]["id"])
    names = ", ".join(elided(name) for name in sorted(str(entry["id"]) for entry in listed)[:20]) or "it lists none"
    raise InputError(
        f"serves {len(listed)} models, and the reference names none ({names})",
        place=f"{PREFIX}{url}",
        fix="Write the model's name behind a #",
    )


def _probe(client: ServerClient, model: str, listed: Sequence[str]) -> tuple[str, str, Dialect, list[str]]:
    """The kind of the served model, the path that generations go to, how a chat is asked for there, and notes."""
    refusals: list[RefusedError] = []
    completes, doubts = False, list[str]()
    try:
        answer = client.post("/completions", echo_body(model, PROBE), patient=False)
        completes = _has_choice(answer, "text")
        found = read_echo(answer, PROBE)
        if completes and isinstance(found, Echo) and len(found.tokens) > 1:
            return "completions", "/completions", Dialect(), []
        if completes and isinstance(found, str) and answer["choices"][0].get("logprobs"):
            doubts = [Reason("Token probabilities aren't used: {reason}", reason=found)]
    except RefusedError as refused:
        refusals.append(refused)
    try:
        dialect, answer = _chat(client, model)
        if _has_choice(answer, "message"):
            return "chat", "/chat/completions", dialect, doubts
    except RefusedError as refused:
        refusals.append(refused)
    if completes:
        return "chat", "/completions", Dialect(), doubts
    raise _not_served(client.url, model, listed, refusals)


def _chat(client: ServerClient, model: str) -> tuple[Dialect, Any]:
    """How the server takes a chat, by its own words, and what it answered."""
    dialect: Dialect | None = Dialect()
    while dialect is not None:
        try:
            return dialect, client.post("/chat/completions", dialect.body(model, GREETING, FEW), patient=False)
        except RefusedError as refused:
            refusal = refused
            dialect = dialect.after(refused.status, refused.problem)
    raise refusal


def _not_served(url: str, model: str, listed: Sequence[str], refusals: Sequence[RefusedError]) -> HarnessError:
    if listed and model not in listed:
        return UnknownName(f"model at {url}", model, listed)
    if not refusals:
        return ModelError(
            "answers neither to /completions nor to /chat/completions as OpenAI's protocol has it",
            place=url,
            fix="Check that the address is that of an OpenAI-compatible API; it mostly ends in /v1",
        )
    return CheckpointError(
        f"doesn't serve {model}: it {refusals[-1].problem}",
        place=url,
        fix="Check the model's name and the address, which mostly ends in /v1",
    )


def _has_choice(answer: Any, field: str) -> bool:
    try:
        choice = answer["choices"][0]
        return isinstance(choice, dict) and field in choice
    except (KeyError, IndexError, TypeError):
        return False


def echo_body(model: str, prompt: str) -> dict[str, Any]:
    """The request for the log-probabilities of a prompt's tokens; one is written too, for some refuse to write 0."""
    return {"model": model, "prompt": prompt, "max_tokens": ECHO_TOKENS, "temperature": 0, "echo": True, "logprobs": 1}
