"""The same prompt by another template: its labels written otherwise."""

from collections.abc import Iterator

from typing_extensions import override

from probes.perturbations.edits import LABEL, PLACEHOLDER, Edits, Site

__all__ = ["PromptTemplate"]


class PromptTemplate(Edits):
    """Labels at the beginning of a line, such as `Question:`, are written otherwise; the question itself stays.

    In capitals, in small letters, by the initial, after `###`, in brackets: wordings that should make no difference
    and do (Sclar et al., 2024). At most the length of the label and 4 each.
    """

    name = "prompt_template"
    share = 0.2
    kept = (PLACEHOLDER,)

    @override
    def sites(self, text: str) -> Iterator[Site]:
        """Labels, without the white space before them."""
        for found in LABEL.finditer(text):
            label = found[0].strip()
            word, colon = label[:-1], label[-1]
            options = [f"{word.upper()}{colon}", f"{word.lower()}{colon}", f"### {label}", f"[{word}]"]
            if word.isascii():
                options.append(f"{word[0]}{colon}")
            yield Site(found.end() - len(label), found.end(), tuple(dict.fromkeys(options)))
