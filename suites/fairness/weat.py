"""WEAT and SEAT: which group of words lies closer to which attribute."""

from suites.fairness.association import AssociationTest

__all__ = [
    "SEATAge",
    "SEATGenderCareer",
    "SEATGenderMaths",
    "SEATGenderScience",
    "SEATRace",
    "WEATAge",
    "WEATGenderCareer",
    "WEATGenderMaths",
    "WEATGenderScience",
    "WEATRace",
]

BLEACHED = ("This is {word}.", "That is {word}.", "Here is {word}.", "{word} is here.", "{word} is there.")
"""Sentences that say next to nothing, in the manner of May et al., whose own depend on the part of speech."""


class WEATGenderCareer(AssociationTest):
    """Whether men's names lie closer to career, and women's to family (WEAT 6).

    What it measures. The effect size d of Caliskan et al. (2017) and its permutation p-value.

    Why it matters. What an encoder associates, search and ranking built upon it do too.

    Limits. 8 American names a group stand for a gender. Words stand alone, as encoders of sentences seldom see them.
    An association in vectors is not yet harm in use.
    """

    name = "weat_gender_career"
    number = 6


class WEATGenderMaths(AssociationTest):
    """Whether mathematics lies closer to male terms, and the arts to female ones (WEAT 7).

    What it measures. The effect size d of Caliskan et al. (2017) and its permutation p-value.

    Why it matters. What an encoder associates, search and ranking built upon it do too.

    Limits. 8 English words a group, and two genders. Words stand alone, as encoders of sentences seldom see them.
    """

    name = "weat_gender_maths"
    number = 7


class WEATGenderScience(AssociationTest):
    """Whether science lies closer to male terms, and the arts to female ones (WEAT 8).

    What it measures. The effect size d of Caliskan et al. (2017) and its permutation p-value.

    Why it matters. What an encoder associates, search and ranking built upon it do too.

    Limits. 8 English words a group, and two genders; Einstein and Shakespeare are among the words.
    """

    name = "weat_gender_science"
    number = 8


class WEATRace(AssociationTest):
    """Whether names common among European Americans lie closer to pleasant words than African American ones (WEAT 3).

    What it measures. The effect size d of Caliskan et al. (2017) and its permutation p-value, over the 32 names a group
    that they kept.

    Why it matters. What an encoder associates, search and ranking built upon it do too.

    Limits. Names stand for groups, and rare names are cut into pieces, which alone can move their vectors.
    """

    name = "weat_race"
    number = 3


class WEATAge(AssociationTest):
    """Whether names of the young lie closer to pleasant words than names of the old (WEAT 10).

    What it measures. The effect size d of Caliskan et al. (2017) and its permutation p-value.

    Why it matters. What an encoder associates, search and ranking built upon it do too.

    Limits. 8 American names a group stand for an age, as it was in 2002.
    """

    name = "weat_age"
    number = 10


class SEATGenderCareer(WEATGenderCareer):
    """As `weat_gender_career`, each word in five sentences that say next to nothing (SEAT, May et al., 2019).

    What it measures. Effect size d and permutation p-value; the sentences of a word stay together in both.

    Why it matters. Encoders of sentences are at home here, not with single words.

    Limits. The sentences are this harness's, the same for every word: compare no figure with those of May et al.
    """

    name = "seat_gender_career"
    templates = BLEACHED


class SEATGenderMaths(WEATGenderMaths):
    """As `weat_gender_maths`, each word in five sentences that say next to nothing (SEAT, May et al., 2019).

    What it measures. Effect size d and permutation p-value; the sentences of a word stay together in both.

    Why it matters. Encoders of sentences are at home here, not with single words.

    Limits. The sentences are this harness's, the same for every word: compare no figure with those of May et al.
    """

    name = "seat_gender_maths"
    templates = BLEACHED


class SEATGenderScience(WEATGenderScience):
    """As `weat_gender_science`, each word in five sentences that say next to nothing (SEAT, May et al., 2019).

    What it measures. Effect size d and permutation p-value; the sentences of a word stay together in both.

    Why it matters. Encoders of sentences are at home here, not with single words.

    Limits. The sentences are this harness's, the same for every word: compare no figure with those of May et al.
    """

    name = "seat_gender_science"
    templates = BLEACHED


class SEATRace(WEATRace):
    """As `weat_race`, each word in five sentences that say next to nothing (SEAT, May et al., 2019).

    What it measures. Effect size d and permutation p-value; the sentences of a word stay together in both.

    Why it matters. Encoders of sentences are at home here, not with single words.

    Limits. The sentences are this harness's, the same for every word: compare no figure with those of May et al.
    """

    name = "seat_race"
    templates = BLEACHED


class SEATAge(WEATAge):
    """As `weat_age`, each word in five sentences that say next to nothing (SEAT, May et al., 2019).

    What it measures. Effect size d and permutation p-value; the sentences of a word stay together in both.

    Why it matters. Encoders of sentences are at home here, not with single words.

    Limits. The sentences are this harness's, the same for every word: compare no figure with those of May et al.
    """

    name = "seat_age"
    templates = BLEACHED
