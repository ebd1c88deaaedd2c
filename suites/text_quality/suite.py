"""Does the model write what people would have written?"""

from collections.abc import Sequence

from typing_extensions import override

from harness.core.metrics import Metric
from harness.core.tasks import Suite

__all__ = ["Bleu"]


class Bleu(Suite):
    """The text that a model writes beside the one that people wrote: translations and summaries.

    What it measures. BLEU, chrF++ and TER of translations, with sacrebleu's signatures in those of the scores: German
    to English and English to Chinese, and ten more directions by `--task translation_en_fr` and the like. ROUGE of
    summaries. How long texts are beside their references, how they repeat themselves, and whether placeholders survive.
    A parallel file of one's own: `type: translation` in a suite file. `--bertscore-model CHECKPOINT#LAYER` adds
    BERTScore (Zhang et al., 2020): precision, recall and F1 of the tokens' nearest matches by the states of an encoder
    of yours, in a folder or on a hub; without `#LAYER` its last one, though middle layers often follow people's
    judgements better. It is neither weighted by rarity nor rescaled, and the signature names encoder and layer.

    Limits. Likeness to one reference is not quality: a good translation in other words scores low. A small model
    trained on English alone scores near 0 on translation, which says just that. Default sizes are small: read the
    intervals, and ask for all of it with `--limit all`. Defined for models that write.
    COMET is left out: its package wants versions of numpy and transformers that this one can't stand beside.
    """

    name = "bleu"
    title = "Text quality"
    report = "suites.text_quality.report:TextQualityReport"
    tasks = ("translation_de_en", "translation_en_zh", "xsum_summary")
    headline = (
        ("translation_de_en", "chrf++"),
        ("translation_en_zh", "chrf++"),
    )

    @override
    def further_metrics(self) -> Sequence[tuple[str, Sequence[Metric]]]:
        from harness.metrics.bertscore import bertscore_metrics

        return [("`--bertscore-model`", bertscore_metrics(None))]
