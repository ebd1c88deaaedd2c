"""The plain way: one request at a time through transformers, everything computed everywhere."""

import torch

from harness.core.models import respond
from harness.engine.encoding import Encoder


def answers(model, requests):
    """What a model answers, by the id of what it was asked."""
    return {response.request_id: response for response in respond(model, requests)}


def plain_loglikelihood(model, encoder: Encoder, request) -> tuple[float, bool]:
    """Log-likelihood in double precision over one request's readings, and whether greedy decoding gives it."""
    readings = encoder.loglikelihoods([request]) if request.kind == "loglikelihood" else encoder.rolling([request])[0]
    total, greedy = 0.0, True
    for reading in readings:
        with torch.inference_mode():
            logits = model(torch.tensor([reading.inputs], device=model.device)).logits[0].double().cpu()
        rows = logits[-len(reading.targets) :]
        targets = torch.tensor(reading.targets)
        total += rows.log_softmax(-1).gather(1, targets[:, None]).sum().item()
        greedy &= bool((rows.argmax(-1) == targets).all())
    return total, greedy


def plain_generation(loaded, request) -> list[int]:
    """What transformers' own greedy decoding writes after one prompt, the end-of-text token left out."""
    ids = loaded.tokenizer(request.context, return_tensors="pt").input_ids
    with torch.inference_mode():
        written = loaded.model.generate(ids, max_new_tokens=request.max_tokens, do_sample=False)[0, ids.shape[1] :]
    return [token for token in written.tolist() if token != loaded.tokenizer.eos_token_id]


class CountingMeter:
    """Counts tokens by stage."""

    def __init__(self):
        self.tokens = {}
        self._stage = None

    def stage(self, name):
        self._stage = name

    def count(self, *, tokens, requests):
        del requests
        self.tokens[self._stage] = self.tokens.get(self._stage, 0) + tokens
