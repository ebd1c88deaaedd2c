"""Does the model reason its way to the right answer?"""

from harness.core.tasks import Suite

__all__ = ["Reasoning"]

_AREAS = ("arithmetic", "algebra", "logic", "algorithms", "geometry", "games")


class Reasoning(Suite):
    """Whether what the model writes ends in the right answer: eighteen families of puzzles in six areas.

    What it measures. The share of right answers to questions whose answers can be checked without doubt, by area, by
    family and by four difficulties. What was cut because its tokens were used up, and what holds no answer that can be
    read, is told apart from what is wrong: `accuracy_all` and `accuracy_upper_bound` are the bounds. The families
    follow those of Reasoning Gym (Stojanovski et al., 2025); generators and checks are this project's own.

    Why it matters. Published questions have been read in training. These are made from the run's seed, so that another
    `--seed` asks others, and a score that only memory explains can't come about.

    Limits. A family's wording is always the same, in English, and the questions are artificial: they say nothing about
    reasoning on the world. `gsm8k`, known to everybody, stands beside them, and isn't in the headline. By default a
    task asks 8 questions and allows 128 tokens for each, so intervals are wide, and a model that thinks at length is
    cut: raise `--limit` and `--max-tokens`, and read `cut` first. Chance differs: a set of two knights is guessed once
    in four times, a derivative never. Chat models should be asked with `--apply-chat-template`; others may need
    `--num-fewshot` to find the form of the answer. Another seed asks other questions, and then two runs can't be
    compared question by question.
    """

    name = "reasoning"
    title = "Reasoning"
    report = "suites.reasoning.report:ReasoningReport"
    tasks = (*(f"reasoning_{area}" for area in _AREAS), "gsm8k")
    headline = tuple((f"reasoning_{area}", "accuracy_all") for area in _AREAS)
