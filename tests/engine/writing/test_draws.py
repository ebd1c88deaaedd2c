"""Tokens are drawn with their probabilities, and rounding doesn't draw others."""

import pytest
import torch
from scipy import stats

from harness.core.requests import GenerateUntil
from harness.engine.writing.draws import Draws, _race, draw_tokens

CPU = torch.device("cpu")
LOGITS = torch.tensor([0.05, 0.5, 0.0, 0.3, 0.15]).log()


def drawn(logits: torch.Tensor, count: int, **settings: float) -> list[int]:
    draws = Draws(GenerateUntil(context="", **{"temperature": 1.0, "seed": 7, **settings}), CPU)
    return [draw_tokens([draws], [logits])[0] for _ in range(count)]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, [0.05, 0.5, 0.0, 0.3, 0.15]),
        ({"top_p": 0.8}, [0.0, 0.625, 0.0, 0.375, 0.0]),
        ({"top_k": 3}, [0.0, 10 / 19, 0.0, 6 / 19, 3 / 19]),
        ({"temperature": 0.5}, [1 / 146, 100 / 146, 0.0, 36 / 146, 9 / 146]),
    ],
)
def test_tokens_come_as_often_as_their_probability_says(settings: dict[str, float], expected: list[float]) -> None:
    counts = torch.bincount(torch.tensor(drawn(LOGITS, 4000, **settings)), minlength=5).tolist()
    assert [count for count, share in zip(counts, expected, strict=True) if not share] == [0] * expected.count(0.0)
    seen = [(count, 4000 * share) for count, share in zip(counts, expected, strict=True) if share]
    assert stats.chisquare([one for one, _ in seen], [one for _, one in seen]).pvalue > 1e-4


def test_rounding_draws_no_other_token() -> None:
    noise = torch.Generator().manual_seed(1)
    logits = 3 * torch.randn(50_000, generator=noise)
    rounded = logits + 2e-5 * torch.randn(50_000, generator=noise)
    changed = sum(drawn(logits, 1, seed=seed) != drawn(rounded, 1, seed=seed) for seed in range(300))
    assert changed == 0  # a place in the cumulative sum changes 5


@pytest.mark.parametrize("top_p", [1.0, 0.9, 0.5])
@pytest.mark.parametrize("top_k", [None, 40])
def test_texts_drawn_side_by_side_draw_what_each_draws_alone(top_p: float, top_k: int | None) -> None:
    logits = list(2 * torch.randn(6, 3000, generator=torch.Generator().manual_seed(2)))
    requests = [
        GenerateUntil(context="", temperature=0.5 + (row > 3), top_p=top_p, top_k=top_k, seed=row) for row in range(6)
    ]
    together = draw_tokens([Draws(request, CPU) for request in requests], logits)
    alone = [draw_tokens([Draws(request, CPU)], [row])[0] for request, row in zip(requests, logits, strict=True)]
    assert together == alone
    settings = (1.5, top_p, top_k)
    variates = torch.stack([Draws(request, CPU).variates(logits[0]) for request in requests])
    # As an accelerator draws them, all rows in one race.
    assert _race(torch.stack(logits), variates, *settings) == [
        _race(row[None], own[None], *settings)[0] for row, own in zip(logits, variates, strict=True)
    ]
