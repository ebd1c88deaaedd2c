"""Parts of a checkpoint that only some kinds of models have, by the names of their tensors."""

import re

__all__ = ["LABEL_HEAD", "OTHER_HEADS", "POOLER", "WORD_HEAD"]

WORD_HEAD = re.compile(
    r"(^|\.)(cls\.predictions|lm_head|lm_predictions|embed_out|generator_lm_head|vocab_projector|pred_layer"
    r"|predictions)\.|^(decoder\.(weight|bias)|head\.dense\.weight)$"
)
"""Tensors that only a model that predicts words has."""
LABEL_HEAD = re.compile(r"^(classifier|score|pre_classifier|classification_head)\.")
"""Tensors that only a model that labels texts or words has."""
POOLER = re.compile(r"(^|\.)pooler\.")
"""Makes one vector of the first token's, for the task of a model's first training."""
OTHER_HEADS = re.compile(
    rf"{WORD_HEAD.pattern}|{LABEL_HEAD.pattern}|^(cls|qa_outputs|generator|head)\.|^final_logits_bias$|{POOLER.pattern}"
)
"""Parts that a model with a head of its own, or none, has no use for."""
