"""How far an explanation of a model's decisions can be believed: measured on the model, and always beside chance."""

from functools import partial

from harness.core.metrics import Mean, Metric, Proportion

__all__ = [
    "AOPC_COMPREHENSIVENESS",
    "AOPC_SUFFICIENCY",
    "ATTRIBUTION_METRICS",
    "COMPLETENESS_GAP",
    "COMPREHENSIVENESS_LIFT",
    "CONVERGED",
    "DEFAULT_METHOD",
    "DELETION_AREA",
    "INFIDELITY",
    "INSERTION_AREA",
    "MAX_SENSITIVITY",
    "RANDOM_WEIGHTS_CORRELATION",
    "RANK_AGREEMENT",
    "SUFFICIENCY_LIFT",
    "TOP_AGREEMENT",
]

DEFAULT_METHOD = "shapley_sampling"
"""The method of the scores without a group, and so of the suite's one score; the others stand in the groups."""

_ERASER = "DeYoung et al. (2020), ERASER: A Benchmark to Evaluate Rationalized NLP Models, ACL"
_RISE = "Petsiuk et al. (2018), RISE: Randomized Input Sampling for Explanation of Black-box Models, BMVC"
_FIDELITY = "Yeh et al. (2019), On the (In)fidelity and Sensitivity of Explanations, NeurIPS, as in captum"
_PROBLEM = "Krishna et al. (2022), The Disagreement Problem in Explainable Machine Learning"
_SANITY = "Adebayo et al. (2018), Sanity Checks for Saliency Maps, NeurIPS"


_by_method = partial(Mean, by=("method",), main_group={"method": DEFAULT_METHOD}, smallest_group=2)

COMPREHENSIVENESS_LIFT = _by_method(
    name="comprehensiveness_lift",
    unit="probability",
    direction="higher",
    source=f"{_ERASER}, less that of random orders of the same sample",
    lowest=-1.0,
    highest=1.0,
    meaning="""
    -1 to 1: the comprehensiveness of the explanation less that of chance, paired by sample. Higher is better.

    0 says that the units the method names matter to the decision as much as any; the interval says whether it is
    above. How high it can be hangs on the model, too: one whose decisions no word can turn has little to lift (Edin
    et al., 2024).
    """,
)

SUFFICIENCY_LIFT = _by_method(
    name="sufficiency_lift",
    unit="probability",
    direction="higher",
    source=f"{_ERASER}: that of random orders of the same sample, less the method's",
    lowest=-1.0,
    highest=1.0,
    meaning="""
    -1 to 1: by how much the named units alone keep the decision better than as many random ones. Higher is better.
    """,
)

AOPC_COMPREHENSIVENESS = _by_method(
    name="aopc_comprehensiveness",
    unit="probability",
    direction="higher",
    source=f"{_ERASER}: area over the perturbation curve",
    lowest=-1.0,
    highest=1.0,
    meaning="""
    -1 to 1: by how much the decision's probability falls without the most important units; higher is better.

    The mean over the fractions of units taken out (10, 20, 30 and 50 %, rounded up). Never read it without that of
    the group `method=random`: a model that any change upsets has a high one by chance.
    """,
)

AOPC_SUFFICIENCY = _by_method(
    name="aopc_sufficiency",
    unit="probability",
    direction="lower",
    source=f"{_ERASER}: area over the perturbation curve",
    lowest=-1.0,
    highest=1.0,
    meaning="""
    -1 to 1: by how much the decision's probability falls with the most important units alone; lower is better.

    Below 0 the model is surer of its decision without the rest.
    """,
)

DELETION_AREA = _by_method(
    name="deletion_area",
    unit="probability",
    direction="lower",
    source=f"{_RISE}: deletion, on units of text",
    lowest=0.0,
    highest=1.0,
    meaning="""
    0 to 1: the area under the decision's probability as units are taken out, the most important first; lower is
    better.

    By the trapezoidal rule over the fractions, from none to all.
    """,
)

INSERTION_AREA = _by_method(
    name="insertion_area",
    unit="probability",
    direction="higher",
    source=f"{_RISE}: insertion, on units of text",
    lowest=0.0,
    highest=1.0,
    meaning="""
    0 to 1: the area under the decision's probability as units are put in, the most important first; higher is better.
    """,
)

INFIDELITY = _by_method(
    name="infidelity",
    unit="nats^2",
    direction="lower",
    source=f"{_FIDELITY}, normalised",
    lowest=0.0,
    meaning="""
    From 0 up: mean squared error with which the values foretell what taking out random units does to the log-odds.

    The values' scale doesn't count, nor does their sign as a whole: the best factor is taken first.
    """,
)

MAX_SENSITIVITY = _by_method(
    name="max_sensitivity",
    unit="relative change",
    direction="lower",
    source=_FIDELITY,
    main_group={"method": "integrated_gradients"},
    lowest=0.0,
    meaning="""
    From 0 up: the largest relative change of the values among small random changes of the embeddings; lower is
    better.

    Of the methods that follow gradients alone, and of every fourth sample: the others would ask the model hundreds of
    times for each change. The score without a group is that of integrated gradients.
    """,
)

COMPLETENESS_GAP = _by_method(
    name="completeness_gap",
    unit="share",
    direction="lower",
    source="Sundararajan et al. (2017), Axiomatic Attribution for Deep Networks: completeness",
    main_group={"method": "integrated_gradients"},
    lowest=0.0,
    meaning="""
    From 0 up: how far the values are from the sum that they must have, as a share of it; lower is better.

    That sum is the log-odds of the text less those of the method's baseline; the gap is a share of a nat where it is
    less than one. Of methods that promise such a sum alone. The score without a group is that of integrated
    gradients.
    """,
)

CONVERGED = Proportion(
    name="converged",
    unit="share",
    direction="higher",
    source="share of samples whose completeness gap is 0.05 at most, as Sundararajan et al. (2017) ask for",
    by=("method",),
    main_group={"method": "integrated_gradients"},
    smallest_group=2,
    meaning="""
    0 to 1: the share of samples on which the method has come close enough to the sum that its values must have.

    Integrated gradients take points until they do, up to a limit: what is missing from 1 are samples on which the
    limit was reached, and whose values are a guess. The score without a group is that of integrated gradients.
    """,
)

RANK_AGREEMENT = _by_method(
    name="rank_agreement",
    unit="correlation",
    direction="higher",
    source=f"{_PROBLEM}: rank correlation; Spearman (1904)",
    lowest=-1.0,
    highest=1.0,
    meaning="""
    -1 to 1: Spearman's correlation of the values with those of each other method, random apart; the mean over them.
    """,
)

TOP_AGREEMENT = _by_method(
    name="top_agreement",
    unit="share",
    direction="higher",
    source=f"{_PROBLEM}: feature agreement, here of signed values",
    lowest=0.0,
    highest=1.0,
    meaning="""
    0 to 1: the share of the most important quarter of units that another method has in its own; the mean over them.
    """,
)

RANDOM_WEIGHTS_CORRELATION = _by_method(
    name="random_weights_correlation",
    unit="correlation",
    target=0.0,
    source=f"{_SANITY}: randomisation of all weights; Spearman (1904)",
    lowest=-1.0,
    highest=1.0,
    meaning="""
    -1 to 1: Spearman's correlation of the values with those of the same model with random weights. 0 is right.

    A method whose values are the same when the model has learnt nothing doesn't explain what it has learnt. Every
    weight but the embeddings' is drawn anew from a normal distribution with the tensor's own mean and deviation. Of
    every fourth sample.
    """,
)

ATTRIBUTION_METRICS: tuple[Metric, ...] = (
    COMPREHENSIVENESS_LIFT,
    SUFFICIENCY_LIFT,
    AOPC_COMPREHENSIVENESS,
    AOPC_SUFFICIENCY,
    DELETION_AREA,
    INSERTION_AREA,
    INFIDELITY,
    MAX_SENSITIVITY,
    COMPLETENESS_GAP,
    CONVERGED,
    RANK_AGREEMENT,
    TOP_AGREEMENT,
    RANDOM_WEIGHTS_CORRELATION,
)
"""Every metric of this file, in the order in which they are shown."""
