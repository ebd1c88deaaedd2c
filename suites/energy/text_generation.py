"""Free text of a fixed length, so that the energy of decoding is measured."""

from collections.abc import Sequence

from typing_extensions import override

from harness.core.errors import DataError
from harness.core.metrics import Mean
from harness.core.requests import GenerateUntil, Request, Response
from harness.core.scores import Score
from harness.core.tasks import Row, Sample, Task, TaskSettings, choose

__all__ = ["TextGeneration"]

PROMPT_WORDS = 60
MAX_TOKENS = 32

GENERATED_TOKENS = Mean(
    name="generated_tokens",
    unit="tokens a request",
    target=float(MAX_TOKENS),
    source="count of generated tokens, the end-of-text token excluded",
    meaning="""
    How many tokens the model writes, from 0 to all that were asked for.

    Formula: tokens written over requests. Below its target the joules per request are those of shorter answers.
    """,
)


class TextGeneration(Task):
    """Continues the first 60 words of news articles greedily, 32 tokens each. What it measures is the energy of
    writing; see the suite `energy`.

    Why it matters: reading a token and writing one cost very different energies, and multiple-choice tasks only read.
    The task follows the text generation task of the AI Energy Score (Luccioni et al., 2025), which writes answers to
    1,000 prompts; ours are fewer and shorter.

    Limits: the texts are not judged. `generated_tokens` says only whether the model wrote all that was asked for: a
    model that stops early writes fewer tokens, so compare its joules per token, not per request.
    """

    name = "text_generation"
    data = "xsum"
    default_limit = 16
    asks = (GenerateUntil,)
    metrics = (GENERATED_TOKENS,)

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """One sample per document that has any words. Raises `DataError` for a row without a text `document`."""
        for index, row in enumerate(rows):
            if not isinstance(row.get("document"), str):
                raise DataError(f"row {index} has no text in the field document", place=self.name)
        usable = [row for row in rows if row["document"].split()]
        _, chosen = choose(len(usable), settings, salt=self.name)
        return [
            Sample(id=str(usable[index]["id"]), prompt=" ".join(usable[index]["document"].split()[:PROMPT_WORDS]))
            for index in chosen
        ]

    @override
    def requests(self, sample: Sample) -> Sequence[Request]:
        """One greedy generation without stop strings."""
        return [GenerateUntil(context=sample.prompt, max_tokens=MAX_TOKENS)]

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """The number of tokens that the model wrote, 0 to 32."""
        (response,) = responses
        unusable = None if response.is_cut else response.invalid
        value = None if unusable else float(response.token_count)
        return [Score(sample_id=sample.id, metric="generated_tokens", value=value, invalid=unusable)]
