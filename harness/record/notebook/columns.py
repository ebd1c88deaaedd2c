"""What each column of a frame means: those of a record, of a comparison and of a verdict."""

from collections.abc import Mapping

import pandas as pd

from harness.core.errors import UnknownName

__all__ = ["COLUMNS", "columns", "columns_table"]

_OF = {"suite": "suite", "task": "task in the suite; `overall` for a headline", "metric": "name of the metric"}
_SAMPLE = {"suite": "suite", "task": "task in the suite", "sample_id": "sample in the task"}
_ENDS = {
    "stderr": "standard error, in `unit`",
    "low": "lower end of the 95 % interval, in `unit`",
    "high": "upper end of the 95 % interval, in `unit`",
}
_AIM = {
    "unit": "unit of the value",
    "direction": "which way is better, `higher` or `lower`; none where a target is best",
    "target": "the value that is best; none where a direction is",
}

_ESTIMATES = {
    **_OF,
    "group": "part of the samples that it is of, as `attribute=value`; none for all samples",
    "value": "the score, in `unit`; NaN where it can't be computed, with `reason`",
    **_ENDS,
    "confidence": "confidence of the interval, 0 to 1",
    "interval": "how the interval was made",
    "left_out": "groups that are too small to enter the value, with their sizes",
    "p_value": "probability of so extreme a value by chance alone, where the metric tells it",
    "n": "samples that gave the value",
    "invalid_count": "samples more that could not be used",
    "tie_count": "samples of the `n` whose score hangs on rounding",
    "truncated_count": "samples of the `n` whose prompt lost exemplars, or whose text lost its end",
    **_AIM,
    "basis": "`measured` or `estimated`",
    "signature": "digest of all that the value depends on: data, prompt, seed, dtype, code",
    "reason": "why there is no value",
    "applies": "False where no checkpoint of this kind can have it",
    "failed": "True where code of a task or suite raised, hung or ended",
    "parts": "what a mean over tasks is made of: task, metric, weight",
}

COLUMNS: Mapping[str, Mapping[str, str]] = {
    "estimates": _ESTIMATES,
    "in_context": {
        **_ESTIMATES,
        "chance": "what guessing would score; none where nobody knows",
        "than_chance": "`better`, `worse` or `can't tell`, by a test at 5 % with Holm's correction",
        "optimum": "the best value there can be",
        "baseline": "the same score of the baseline",
        "than_baseline": "`better`, `worse` or `can't tell`, as `harness compare` says it",
    },
    "scores": {
        **_SAMPLE,
        "metric": "name of the metric",
        "value": "what the metric averages, in its own terms: 1 for a right answer, nats for a log-likelihood",
        "weight": "what the metric divides by: tokens, bytes; 1 for a plain mean",
        "gold": "the right answer, of metrics over labels and texts",
        "predicted": "the model's answer, of metrics over labels and texts",
        "remark": "why the answer counts as it does, such as `cut`",
        "tie": "whether a choice hangs on less than the rounding of the arithmetic",
        "cluster": "what samples share, such as a passage: errors are clustered by it",
        "groups": "groups of the sample, by attribute",
        "truncated": "whether a prompt of the sample didn't fit the model's window",
        "invalid": "why the sample counts in no value",
        "wording": "what `invalid` is made of, as JSON, so that it can be said in another language",
    },
    "samples": {
        **_SAMPLE,
        "position": "place of the request among those of the sample, from 0",
        "variant": "how the sample was changed for it; none for the sample as it is",
        "request_id": "digest of the request",
        "kind": "kind of the request, such as `loglikelihood` or `generate_until`",
        "context": "the prompt",
        "continuation": "the text whose log-likelihood is asked",
        "settings": "other settings of the request, as JSON",
        "loglikelihood": "log-likelihood in nats, at most 0",
        "is_greedy": "whether greedy decoding would write the continuation",
        "text": "what the model wrote; without its thoughts",
        "raw_text": "all that the model wrote, thoughts and markers included",
        "stop": "how the text ended",
        "token_ids": "tokens written",
        "label_scores": "a classifier's score of each label",
        "tags": "one label a word",
        "vector": "embedding of the text",
        "token_loglikelihoods": "log-likelihood of each token, in nats",
        "token_z_scores": "the same less the mean over the vocabulary, in standard deviations",
        "token_is_greedy": "whether each token is the likeliest one",
        "token_divergences": "Kullback-Leibler divergence from the reference at each token, in nats",
        "token_reference_loglikelihoods": "log-likelihood of each token by the reference, in nats",
        "token_agrees": "whether the reference's likeliest token is the model's",
        "token_ends": "character of the text that each token ends before",
        "token_count": "tokens predicted or written",
        "thinking_token_count": "tokens of these that were thoughts",
        "context_token_count": "tokens that were only read",
        "unread_character_count": "characters of the prompt that didn't fit the model's window",
        "invalid": "why there is no usable answer",
        "wording": "what `invalid` is made of, as JSON",
    },
    "attributions": {
        **_SAMPLE,
        "method": "method of attribution",
        "target": "the decision that is explained",
        "probability": "probability of the decision on the whole text, 0 to 1",
        "empty_probability": "probability of the decision with every unit taken out, 0 to 1",
        "tokens": "units of the text, which they make up when joined",
        "values": "worth of each unit in nats of the decision's log-odds",
        "fractions": "shares of the units taken out or kept, 0 to 1",
        "deletion": "probability of the decision without the most important share of units",
        "insertion": "probability of the decision with nothing but the most important share of units",
    },
    "comparison": {
        "level": "`suite` for a headline, `metric` for a task's metric, `group` for one group of it",
        **_OF,
        "group": "part of the samples that it is of; none for all samples",
        **_AIM,
        "first": "value of the first run",
        "second": "value of the second run",
        "difference": "second less first",
        **_ENDS,
        "p_value": "p value of no difference",
        "p_holm": "the same after Holm's correction over its family",
        "method": "the test",
        "n": "samples that both runs have",
        "cluster_count": "clusters among them",
        "gained": "samples that only the second run got right",
        "lost": "samples that only the first run got right",
        "invalid_share": "share of samples that one of the runs could not use, 0 to 1",
        "change": "`better`, `worse`, `changed`, `no difference shown` or `not tested`",
        "reason": "why there is no test",
    },
    "verdict": {
        "rule": "name of the rule",
        "kind": "kind of the rule, such as `floor` or `non_inferior`",
        "severity": "`block` or `warn`",
        **_OF,
        "group": "group that decided",
        "verdict": "`PASS`, `FAIL`, `INCONCLUSIVE` or `ERROR`",
        "value": "the number that the rule looked at",
        "low": "lower end of its interval",
        "high": "upper end of its interval",
        "bound": "threshold of the rule",
        "margin": "what may be lost to the baseline",
        "n": "samples behind the number",
        "n_needed": "samples that would decide, where these could not",
        "reason": "how it was decided, or why it wasn't",
    },
}
"""The meaning of each column, by the name of its frame."""


def columns(frame: str) -> pd.DataFrame:
    """What the columns of a frame mean: one row a column, with `column` and `meaning`.

    `frame` is `estimates` (also `headlines`, `task_estimates`, `group_estimates`), `scores`, `samples`, `attributions`,
    `in_context`, `comparison` or `verdict`. Raises `UnknownName`.
    """
    name = "estimates" if frame in ("headlines", "task_estimates", "group_estimates") else frame
    if name not in COLUMNS:
        raise UnknownName("frame", frame, COLUMNS)
    return pd.DataFrame(list(COLUMNS[name].items()), columns=["column", "meaning"])


def columns_table() -> str:
    """All of them in Markdown."""
    lines = []
    for frame, meanings in COLUMNS.items():
        lines += [f"## {frame}", "", "| column | meaning |", "|---|---|"]
        lines += [*(f"| `{name}` | {meaning} |" for name, meaning in meanings.items()), ""]
    return "\n".join(lines).rstrip()
