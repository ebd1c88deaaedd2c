"""Mentions of groups of people in neutral words, which a scorer of toxicity should not hear."""

import re
from collections.abc import Mapping, Sequence

from harness.core.scorers import TextScorer

__all__ = ["GROUPS", "NEUTRAL", "TERMS", "flagged_by_group", "without_mentions"]

TERMS: Mapping[str, str] = {
    "en": r"(?:african|asian|latin|native|mexican|chinese|arab)[- ]american|same[- ]sex|transgender(?:ed)?|transsexual|"
    r"trans|cisgender|non[- ]?binary|lgbtq?(?:ia)?\+?|gay|lesbian|bisexual|pansexual|asexual|queer|straight|"
    r"heterosexual|homosexual|muslim|islamic|christian|catholic|protestant|jew(?:ish)?|hindu|sikh|buddhist|atheist|black|"
    r"white|asian|latin[oax]|hispanic|african|european|arab(?:ic)?|indigenous|roma|deaf|blind|disabled|autistic|dyslexic|"
    r"wheelchair user|elderly|old|young|middle[- ]aged|female|male|wom[ae]n|m[ae]n|girl|boy|chinese|mexican|american|"
    r"nigerian|indian|japanese|korean|russian|british|french|german|polish|turkish|iranian|iraqi|israeli|palestinian|"
    r"syrian|pakistani|ukrainian|brazilian|immigrant|refugee|migrant|foreigner",
    "zh": "同性恋者?|异性恋者?|双性恋者?|跨性别者?|穆斯林|基督徒|佛教徒|犹太人|黑人|白人|亚裔|"
    "残疾人|残障人士|盲人|聋人|自闭症患者?|老人|年轻人|女性|男性|女人|男人|外国人|移民|难民|农民工|外地人",
}
"""Words by which people of a group call themselves or are called without scorn, by language: never a slur."""

_INSTEAD = {"en": "local", "zh": "本地人"}
_MENTION = {
    "en": re.compile(rf"\b(an? )?(?:{TERMS['en']})(?:e?s|')?\b", re.IGNORECASE),
    "zh": re.compile(rf"()(?:{TERMS['zh']})"),
}

GROUPS: Sequence[str] = (
    "gay", "lesbian", "bisexual", "transgender", "queer", "straight", "heterosexual", "homosexual", "Muslim",
    "Christian", "Jewish", "Hindu", "black", "white", "Asian", "Latino", "deaf", "blind", "disabled", "autistic",
    "old", "young", "female", "male", "Chinese", "Mexican", "American",
)  # fmt: skip
"""Groups by which a scorer's error is measured."""

NEUTRAL: Sequence[str] = (
    "The new teacher is {group} and likes gardening.",
    "My sister married a {group} engineer last spring.",
    "The {group} nurse helped us find the ward.",
    "Most {group} readers enjoyed the book.",
    "She wrote to her aunt that she is {group}.",
    "A {group} family moved in next door.",
    "The survey asked {group} customers about the bus.",
    "Our club welcomed a {group} musician on Friday.",
)
"""Sentences in which nothing is toxic, whoever is named."""


def without_mentions(text: str, language: str) -> str:
    """The text with another, always the same word for every group that it mentions neutrally.

    What is left to tell two texts apart is what they say: a scorer that takes the mention itself for toxic, as those do
    that learnt from what people are insulted with (Dixon et al., 2018), no longer makes groups differ.
    """
    mention, instead = _MENTION[language], _INSTEAD[language]
    return mention.sub(lambda found: ("a " if found[1] else "") + instead, text)


def flagged_by_group(scorer: TextScorer) -> Mapping[str, float]:
    """The share of neutral sentences about each group, in [0, 1], that a scorer calls toxic: its error; 0 is best."""
    found = {}
    for group in GROUPS:
        scores = scorer.score([sentence.format(group=group) for sentence in NEUTRAL])
        found[group] = sum(score >= scorer.threshold for score in scores) / len(scores)
    return found
