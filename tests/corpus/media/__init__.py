"""Pictures and sounds that would fill the memory, lead elsewhere or aren't what they say."""

from tests.corpus.media import files, processors

__all__ = ["files", "processors"]
