"""The page of a run's samples: it searches, and loads the pieces in which the samples lie as it needs them."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from harness.core.errors import HarnessError
from harness.core.media import AUDIO, IMAGE, media_type_of
from harness.core.text.display import visible
from harness.decision.flips import Flip
from harness.record import RunRecord
from leaderboard.export.folder import Sheaf
from leaderboard.export.runs import BoardRuns
from leaderboard.export.samples import TaskSamples
from leaderboard.export.tongue import CODES, Tongue, script_of

__all__ = ["Manifest", "Places", "put_samples", "sample_link", "samples_file", "samples_html"]

Manifest = list[dict[str, Any]]
"""What a page has to know of each task before it loads a sample."""

Places = dict[tuple[str, str, str], tuple[int, int]]
"""The number of the task, and that of its piece in which a sample is, by suite, task and id."""

_BEGINS = {IMAGE: (b"\x89PNG\r\n\x1a\n", "png"), AUDIO: (b"fLaC", "flac")}
"""How the bytes of each type of medium begin, and how its file's name ends."""

_SAID = (
    *("any", "right", "wrong", "partly", "invalid", "tie", "Prompt", "Choices", "Answer", "Scores", "Attribution"),
    *(
        "All that was written, thoughts among it",
        "picture or sound",
        "all tasks",
        "more",
        "reference answer",
        "model's answer",
    ),
    "The run doesn't keep this picture or sound, or it was changed.",
    *("log-likelihood (nats)", "share of the choices", "tokens", "metric", "score", "groups", "remark", "variant"),
    "Ended by itself after {tokens} tokens",
    "Ended by a stop string after {tokens} tokens",
    "Cut after {tokens} tokens",
    "{shown} shown; looked through {seen} of {all} samples.",
    "A piece of the samples is missing: was the whole folder copied?",
    *("right answer", "answered", "answered, right"),
)
"""What the page's script says, in the reader's language."""


def samples_file(run_id: str) -> str:
    """The name of the page of a run's samples."""
    return f"samples-{run_id}.html"


def sample_link(run_id: str, places: Places, flip: Flip) -> str | None:
    """Where a flipped sample is shown; None where the run has no such sample."""
    found = places.get((flip.suite, visible(flip.task), visible(flip.sample_id)))
    if found is None:
        return None
    asked = {"task": found[0], "piece": found[1], "sample": visible(flip.sample_id)}
    return f"{samples_file(run_id)}#{urlencode(asked)}"


def put_samples(sheaf: Sheaf, record: RunRecord, tasks: Iterable[TaskSamples]) -> tuple[Manifest, Places]:
    """Put the pieces, and the pictures and sounds, of one task after another; what pages have to know of them."""
    known: Manifest = []
    places: Places = {}
    for place, one in enumerate(tasks):
        for number, piece in enumerate(one.pieces):
            name = f"data/{record.run_id}/{place}-{number}.js"
            sheaf.put(name, script_of("board.piece", place, number, piece))
            places |= {(one.suite, visible(one.task), sample["id"]): (place, number) for sample in piece}
        media = {name: _medium(sheaf, record, name) for name in one.media}
        known.append(
            {
                "suite": one.suite,
                "task": visible(one.task),
                "metric": visible(one.metric or ""),
                "metrics": sorted({score["metric"] for piece in one.pieces for it in piece for score in it["scores"]}),
                "counts": dict(one.counts),
                "pieces": [len(piece) for piece in one.pieces],
                "media": media,
            }
        )
    return known, places


def _medium(sheaf: Sheaf, record: RunRecord, name: str) -> str:
    """The file of a picture or sound, whose bytes nobody reads but the browser; empty where the run doesn't keep it."""
    try:
        medium, media_type = record.medium(name), media_type_of(name)
    except (HarnessError, ValueError):
        return ""
    begin, ending = _BEGINS[media_type]
    if medium is None or not medium.data.startswith(begin):
        return ""
    file = f"data/{record.run_id}/{name.rpartition(':')[2]}.{ending}"
    sheaf.put(file, medium.data)
    return file


def samples_html(held: BoardRuns, run_id: str, manifest: Manifest, tongue: Tongue, sheaf: Sheaf) -> str:
    """The page in one language; what it has to know goes into the sheaf, as a script."""
    script = f"data/{run_id}/{tongue.code}.js"
    known = [
        {
            **one,
            "title": tongue.title(one["suite"]),
            "called": visible(tongue.words.task(one["suite"], one["task"])),
            "metrics": {name: visible(tongue.metric(one["suite"], name)) for name in one["metrics"]},
        }
        for one in manifest
    ]
    said = {text: tongue.say(text) for text in _SAID}
    sheaf.put(
        script,
        script_of("board.open", f"{tongue.root}data/{run_id}/", tongue.root, CODES.index(tongue.code), known, said),
    )
    return tongue.page(
        "samples.jinja",
        samples_file(run_id),
        name=held.names[run_id],
        run_id=run_id,
        script=script,
        count=sum(sum(one["pieces"]) for one in manifest),
    )
