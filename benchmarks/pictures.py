"""Questions about pictures, ours against lm-eval and plain transformers: python -m benchmarks.pictures --write.

A LLaVA of half a million parameters, trained on scikit-learn's digits, is asked about digits that it never saw: which
of ten words is the likeliest, and what it writes. lm-eval's `hf-multimodal` writes and doesn't compare choices: these
are held against transformers' own forward pass, one request at a time.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
import transformers
from lm_eval.api.instance import Instance
from lm_eval.models.hf_vlms import HFMultimodalLM

from benchmarks.page import put
from harness.checkpoints import resolve
from harness.checkpoints.loading.loader import load_model
from harness.core.media import OBJECT
from harness.core.models import respond
from harness.core.requests import MultimodalGenerateUntil, MultimodalLoglikelihood, Request
from harness.engine.kinds.vision_language import VisionLanguageModel
from harness.media.pictures import image_of
from tests.vision.digits import QUESTION, WORDS, Digit, held_out_digits, trained_llava

__all__ = ["Compared", "choices", "compare_choices", "compare_texts"]

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
DIGITS = 100
MAX_TOKENS = 6
BATCH_TOKENS = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One kind of question: processor seconds and encodings of pictures of both sides, and by how much they differ."""

    title: str
    requests: int
    ours_s: float
    theirs_s: float
    ours_encodings: int
    theirs_encodings: int
    agreement: str

    @property
    def row(self) -> str:
        """The row of the table."""
        return (
            f"| {self.title} | {self.requests:,} | {self.ours_encodings:,} | {self.theirs_encodings:,} "
            f"| {self.ours_s:.2f} | {self.theirs_s:.2f} | {self.theirs_s / self.ours_s:.1f} | {self.agreement} |"
        )


def choices(digits: Sequence[Digit]) -> list[MultimodalLoglikelihood]:
    """Ten requests a digit."""
    return [
        MultimodalLoglikelihood(context=QUESTION, continuation=f" {word}", media=(digit.medium,))
        for digit in digits
        for word in WORDS
    ]


def compare_choices(folder: Path, digits: Sequence[Digit]) -> Compared:
    """The likelihoods of ten words a digit, against transformers' forward pass, a request at a time."""
    requests = choices(digits)
    model = transformers.AutoModelForImageTextToText.from_pretrained(folder).eval()
    processor = transformers.AutoProcessor.from_pretrained(folder, backend="pil")

    def plain() -> dict[str, float]:
        return {request.id: _likelihood(model, processor, request) for request in requests}

    ours, encodings, ours_s = _ours(folder, requests)
    theirs, theirs_s = _timed(plain)
    worst = max(abs(ours[name].loglikelihood - likelihood) for name, likelihood in theirs.items())
    return Compared(
        title="ten choices a picture; plain transformers, a request at a time",
        requests=len(requests),
        ours_s=ours_s,
        theirs_s=theirs_s,
        ours_encodings=encodings,
        theirs_encodings=len(requests),
        agreement=f"within {worst:.0e} nats",
    )


def compare_texts(folder: Path, digits: Sequence[Digit]) -> Compared:
    """What is written about each digit, against lm-eval's `hf-multimodal`."""
    requests = [MultimodalGenerateUntil(context=QUESTION, max_tokens=MAX_TOKENS, media=(one.medium,)) for one in digits]
    other = HFMultimodalLM(pretrained=str(folder), device="cpu", dtype="float32", batch_size=16, max_images=1)
    asked = [
        Instance(
            "generate_until",
            {},
            (
                request.context.replace(OBJECT, "<image>"),
                {"until": ["</s>"], "max_gen_toks": MAX_TOKENS, "do_sample": False},
                {"visual": [image_of(request.media[0])]},
            ),
            index,
        )
        for index, request in enumerate(requests)
    ]
    ours, encodings, ours_s = _ours(folder, requests)
    theirs, theirs_s = _timed(lambda: other.generate_until(asked, disable_tqdm=True))
    alike = sum(
        (ours[request.id].text or "").strip() == text.strip() for request, text in zip(requests, theirs, strict=True)
    )
    return Compared(
        title="a written answer a picture; lm-eval's `hf-multimodal`, batches of 16",
        requests=len(requests),
        ours_s=ours_s,
        theirs_s=theirs_s,
        ours_encodings=encodings,
        theirs_encodings=len(requests),
        agreement=f"{alike} of {len(requests)} texts are equal",
    )


def _ours(folder: Path, requests: Sequence[Request]) -> tuple[dict[str, Any], int, float]:
    loaded = load_model(resolve(str(folder)), dtype="float32", device="cpu")
    model = VisionLanguageModel(loaded, batch_tokens=BATCH_TOKENS)
    answers, seconds = _timed(lambda: {one.request_id: one for one in respond(model, requests)})
    return answers, model.percepts.encoded_count, seconds


def _likelihood(model: Any, processor: Any, request: MultimodalLoglikelihood) -> float:
    text = request.context.replace(OBJECT, processor.image_token) + request.continuation
    inputs = processor(text=[text], images=[[image_of(request.media[0])]], return_tensors="pt")
    count = len(processor.tokenizer(request.continuation)["input_ids"])
    with torch.inference_mode():
        logits = model(**inputs).logits[0, -count - 1 : -1].double().log_softmax(-1)
    return float(logits[torch.arange(count), inputs["input_ids"][0, -count:]].sum())


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    begun = time.process_time()
    return work(), time.process_time() - begun


def main() -> None:
    """Measure, and print the part of the page; with --write, put it there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put it into docs/benchmarks.md")
    arguments = parser.parse_args()
    with TemporaryDirectory() as scratch:
        folder = trained_llava(Path(scratch))
        digits = held_out_digits(DIGITS)
        rows = [compare_choices(folder, digits), compare_texts(folder, digits)]
    text = f"""
## Questions about pictures

A LLaVA of half a million parameters, trained on scikit-learn's digits, about {DIGITS} digits that it never saw;
processor time on {torch.get_num_threads()} thread(s), preparing the pictures included. lm-eval's `hf-multimodal`
doesn't compare choices, so these are held against transformers itself. `python -m benchmarks.pictures --write`
measures again.

| what; against | requests | encodings of pictures, ours | theirs | ours, s | theirs, s | theirs / ours | agreement |
|---|---|---|---|---|---|---|---|
{chr(10).join(one.row for one in rows)}
"""
    print(text)
    if arguments.write:
        put(PAGE, "pictures", text)


if __name__ == "__main__":
    main()
