"""Records in the forms that others read: a model card, and the files of other tools."""

from harness.publishing.card import model_card
from harness.publishing.exports import FORMATS, export

__all__ = ["FORMATS", "export", "model_card"]
