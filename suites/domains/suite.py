"""What does the model know in the field that it is wanted for?"""

from harness.core.tasks import Suite

__all__ = ["Domains"]


class Domains(Suite):
    """What the model knows by subject and by field of use, and what its sure mistakes would cost there.

    What it measures. MMLU as model cards report it, with the line that names the subject and the exemplars of the
    subject; its questions in four fields (medical, legal, finance, education) by right answers, by how far confidence
    can be believed, and by the cost of acting on it. A question that several of them ask is computed once. Medical
    cases with a male and with a female patient: right answers by gender, and how often the answer changes with it.

    Limits. Examination questions with four given answers in English say little about advice in real cases. Models below
    about a billion parameters are at chance (0.25), whatever they know. By default a few questions of each subject
    are asked: read the error beside the value.
    """

    name = "domains"
    title = "Domains"
    report = "suites.domains.report:DomainsReport"
    tasks = ("mmlu_subjects", "medical", "legal", "finance", "education", "diversity_med_qa")
    headline = (("medical", "acc"), ("legal", "acc"), ("finance", "acc"), ("education", "acc"))
