"""Metrics that no scenario stands for, and why."""

UNSIMULATED = {
    "longest_exact_continuation": "a fact about the documents that were read: it is given without an error",
    "SecondReading": "a mean of shares, simulated as such, which is absent without the second reader",
    "ByGuessing": "what is known of the questions before anything is answered: it is given without an error",
    "PricePerRight": "the ratio of means that perplexities are, simulated as such",
    "ShareCorrelation": "Fisher's interval of a correlation over occupations, simulated as such",
    "ChangedByGender": "a share of pairs, simulated as such",
    "TailGap": "a difference of two independent scores by MOVER, whose parts are simulated as such",
    "DecisionF1": "the ratio of found entities to all, simulated as such, of names",
    "FeminineRatio": "a bootstrap of clusters, simulated as such of other statistics",
    "RareWordGap": "a bootstrap of clusters, simulated as such of other statistics",
    "DetectionAUROC": "an area under the ROC curve, simulated as that of confidence",
    "PermutationP": "itself the p value of a permutation test",
    "TokenShare": "the ratio of found entities to all, simulated as such, of tokens",
    "LikelihoodRatio": "the ratio of means that perplexities are, simulated as such, without an end at 1",
    "TokenQuantile": "a bootstrap of clusters, simulated as such of other statistics; few texts make it too narrow",
    "MeanOverKinds": "a weighted mean of values between two ends, simulated as such",
    "SpreadOverDraws": "a bootstrap of clusters, simulated as such of other statistics",
    "MeanRank": "a mean of shares, simulated as such; the suite's tests simulate its p value",
    "ErrorGap": "the largest of differences, given without an interval beside what chance alone makes of it",
    "DifferingSpeakers": "a count of groups that a permutation test tells apart; the suite's tests simulate its alarms",
    "DifferingGroups": "a count of groups that a permutation test tells apart; the suite's tests simulate its alarms",
}
"""By the name of a metric or of its class."""
