"""MMLU's 57 subjects: which category the publisher counts each to, and which field of use it belongs to."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

__all__ = ["CATEGORIES", "DOMAINS", "category_of", "domain_of"]

CATEGORIES: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "humanities": (
            "formal_logic", "high_school_european_history", "high_school_us_history", "high_school_world_history",
            "international_law", "jurisprudence", "logical_fallacies", "moral_disputes", "moral_scenarios",
            "philosophy", "prehistory", "professional_law", "world_religions",
        ),
        "social sciences": (
            "econometrics", "high_school_geography", "high_school_government_and_politics",
            "high_school_macroeconomics", "high_school_microeconomics", "high_school_psychology", "human_sexuality",
            "professional_psychology", "public_relations", "security_studies", "sociology", "us_foreign_policy",
        ),
        "stem": (
            "abstract_algebra", "anatomy", "astronomy", "college_biology", "college_chemistry",
            "college_computer_science", "college_mathematics", "college_physics", "computer_security",
            "conceptual_physics", "electrical_engineering", "elementary_mathematics", "high_school_biology",
            "high_school_chemistry", "high_school_computer_science", "high_school_mathematics", "high_school_physics",
            "high_school_statistics", "machine_learning",
        ),
        "other": (
            "business_ethics", "clinical_knowledge", "college_medicine", "global_facts", "human_aging", "management",
            "marketing", "medical_genetics", "miscellaneous", "nutrition", "professional_accounting",
            "professional_medicine", "virology",
        ),
    }
)  # fmt: skip
"""The four categories of the paper, with the subjects that lm-evaluation-harness counts to each."""

DOMAINS: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "medical": (
            "anatomy", "clinical_knowledge", "college_medicine", "human_aging", "medical_genetics", "nutrition",
            "professional_medicine", "virology",
        ),
        "legal": ("international_law", "jurisprudence", "professional_law"),
        "finance": (
            "econometrics", "high_school_macroeconomics", "high_school_microeconomics", "professional_accounting",
        ),
        "education": (
            "elementary_mathematics", "high_school_biology", "high_school_chemistry", "high_school_computer_science",
            "high_school_european_history", "high_school_geography", "high_school_government_and_politics",
            "high_school_mathematics", "high_school_physics", "high_school_psychology", "high_school_statistics",
            "high_school_us_history", "high_school_world_history",
        ),
    }
)  # fmt: skip
"""Fields of use, ours: what is asked of a physician, a lawyer, in finance, and at school but for its economics."""

_OTHER = "other"


def category_of(subject: str) -> str:
    """The publisher's category of a subject. Raises `KeyError` for one that MMLU hasn't."""
    return _BY_SUBJECT[subject]


def domain_of(subject: str) -> str:
    """The field of use of a subject; `other` where it is in none of ours."""
    return next((domain for domain, subjects in DOMAINS.items() if subject in subjects), _OTHER)


_BY_SUBJECT = {subject: category for category, subjects in CATEGORIES.items() for subject in subjects}
