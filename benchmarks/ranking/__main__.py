"""How many questions it takes to tell which checkpoint is the best, by `harness rank` and with a bank of items.

python -m benchmarks.ranking            # prints both tables: 100 trials a row, two minutes
python -m benchmarks.ranking --write    # puts them into docs/ranking.md
"""

import argparse
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.page import put
from benchmarks.ranking.bank import fit
from benchmarks.ranking.worlds import ITEMS, World, alike_answers
from harness.core.statistics.anytime.betting import Bets
from harness.core.statistics.anytime.top import TopSearch
from harness.decision.sequential.bounds import CHANGES
from harness.run.sequential.elimination import CONFIDENCE, DIFFERENCE, GROWTH
from harness.run.sequential.needs import FIRST, LEAST

Values = NDArray[np.float64]

_PAGE = Path("docs/ranking.md")
_Z = 1.96
_STEP = 0.03
_SHARED = 0.6
"""How alike checkpoints are that are searched: about three tenths of their answers differ."""
_ONE = World(name="one ability, as the model has it")
_TASKS = World(name="two tasks, better on one and worse on the other", slopes=(1.6, 0.6), spread=0.2, trade_off=0.14)
_TRAINING = World(name="one training's checkpoints", alike=0.9, is_one_training=True)
_BANKS = ((_ONE, 8, 0.08), (_ONE, 100, 0.08), (_TASKS, 8, 0.04), (_TASKS, 20, 0.04), (_TASKS, 100, 0.04))
_BANKS = (*_BANKS, (_TRAINING, 8, 0.04))
_SEARCHES = ((2, 1), (4, 1), (4, 2), (10, 1), (10, 3))


def _looks() -> Iterator[int]:
    count = FIRST
    while count < ITEMS:
        yield count
        count = max(count + LEAST, round(count * GROWTH))
    yield ITEMS


def searched(rng: np.random.Generator, answers: Values, top: int) -> tuple[list[str], list[int]]:
    """Who is in and out by `harness rank`, and how many questions each was asked; answers of shape (models, items)."""
    search = TopSearch(count=len(answers), top=top)
    level = search.confidence_of_each(CONFIDENCE)
    bets = Bets(lowest=-1, highest=1, effect=DIFFERENCE, population=ITEMS, spread=CHANGES)
    order, asked = rng.permutation(ITEMS), [0] * len(answers)
    standings: list[str] = ["open"] * len(answers)
    for look in _looks():
        asked = [look if standing == "open" else n for n, standing in zip(asked, standings, strict=True)]
        for one, other in combinations(range(len(answers)), 2):
            shared = order[: min(asked[one], asked[other])]
            values = answers[one, shared] - answers[other, shared]
            for pair, given in (((one, other), values), ((other, one), -values)):
                if pair not in search.claims and bets.log_wealth(given, 0.0).max() >= -np.log1p(-level):
                    search.claims.add(pair)
        told = search.standings
        standings = [new if old == "open" else old for new, old in zip(told, standings, strict=True)]
        if "open" not in standings:
            break
    return standings, asked


def told_by_errors(rng: np.random.Generator, answers: Values) -> tuple[int, int]:
    """After how many questions in random order two checkpoints' difference is `_Z` standard errors, and its sign.

    As one would with a fixed size; looking again and again isn't allowed for.
    """
    values = rng.permutation(answers[0] - answers[1])
    for look in _looks():
        seen = values[:look]
        error = np.sqrt(max(seen.var(ddof=1), 1 / look) / look * (1 - look / ITEMS))
        if look == ITEMS or abs(seen.mean()) > _Z * error:
            return look, int(np.sign(seen.mean()))
    raise AssertionError("the last look is at all there are")


def _is_wrong(standings: Sequence[str], answers: Values, top: int) -> bool:
    """Whether anybody is in who has fewer right than `top` others, or out who has more than all but so many."""
    right = answers.sum(axis=1)
    better, worse = (right[:, None] < right).sum(axis=1), (right[:, None] > right).sum(axis=1)
    out = len(right) - top
    return any(
        (one == "in" and more >= top) or (one == "out" and fewer >= out)
        for one, more, fewer in zip(standings, better, worse, strict=True)
    )


def bank_rows(trials: int) -> list[list[str]]:
    """Pairs of checkpoints told apart by `harness rank`, by standard errors, and by a bank and standard errors.

    The questions asked in the median, how often they are told apart, and how often wrongly.
    """
    rows = []
    for world, models, lead in _BANKS:
        by_rank, by_errors, by_bank = [], [], []
        for seed in range(max(1, trials // 20)):
            rng = np.random.default_rng(seed)
            known, pairs = world.draw(rng, models, lead, 20)
            bank = fit(known)
            for answers in pairs:
                standings, counts = searched(rng, answers, 1)
                by_rank.append((counts[0], "open" not in standings, _is_wrong(standings, answers, 1)))
                for kept, (n, sign) in (
                    (by_errors, told_by_errors(rng, answers)),
                    (by_bank, bank.told(answers, list(_looks()), _Z)),
                ):
                    kept.append((n, sign != 0, _is_wrong(["in", "out"][::sign] if sign else ["open"] * 2, answers, 1)))
        cells = [cell for found in (by_rank, by_errors, by_bank) for cell in _cells(found)]
        rows.append([world.name, str(models), f"{100 * lead:.0f}", *cells])
    return rows


def _cells(found: Sequence[tuple[int, bool, bool]]) -> list[str]:
    counts, told, wrong = np.array(found, dtype=float).T
    return [f"{np.median(counts):,.0f}", f"{100 * told.mean():.0f}", f"{100 * wrong.mean():.1f}"]


def search_rows(trials: int) -> list[list[str]]:
    """How often `harness rank` errs, and what it asks of all that could be asked: of checkpoints that are equal but for
    chance, and of others whose accuracies are `_STEP` apart.
    """
    rows = []
    for count, top in _SEARCHES:
        cells = [str(count), str(top)]
        for step in (0.0, _STEP):
            rng = np.random.default_rng(0)
            shares, wrong = [], []
            for _ in range(trials):
                chances = np.repeat((0.5 + step * np.arange(count))[:, None], ITEMS, axis=1)
                answers = alike_answers(rng, chances, _SHARED, rng.normal(size=ITEMS))
                standings, asked = searched(rng, answers, top)
                shares.append(sum(asked) / (count * ITEMS))
                wrong.append(_is_wrong(standings, answers, top))
            cells += [f"{100 * np.mean(wrong):.1f}", f"{100 * np.mean(shares):.0f}"]
        rows.append(cells)
    return rows


_BANK_HEAD = (
    *("checkpoints", "models in the bank", "apart, points"),
    *("`rank`: questions", "told, %", "wrong, %"),
    *("no bank, 1.96 errors: questions", "told, %", "wrong, %"),
    *("bank, 1.96 errors: questions", "told, %", "wrong, %"),
)
_SEARCH_HEAD = (
    *("checkpoints", "the best"),
    *("equal but for chance: wrong, %", "asked, %"),
    *(f"{100 * _STEP:.0f} points apart: wrong, %", "asked, %"),
)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows))


def main() -> None:
    """Print the tables, or put them into the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    for name, head, rows in (("bank", _BANK_HEAD, bank_rows), ("search", _SEARCH_HEAD, search_rows)):
        table = _table(head, rows(given.trials))
        if given.write:
            put(_PAGE, name, table)
        else:
            print(table, end="\n\n", flush=True)


if __name__ == "__main__":
    main()
