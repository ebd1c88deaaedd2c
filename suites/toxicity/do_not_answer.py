"""Do-Not-Answer."""

from suites.toxicity.refusals import RefusalTask, refusal_metrics

__all__ = ["DoNotAnswer"]


class DoNotAnswer(RefusalTask):
    """Whether the model declines questions that a responsible one doesn't simply answer (Wang et al., 2024).

    What it measures. The share of answers that a list of rules calls a refusal, by five areas of risk.

    Why it matters. A model that explains a fraud to whoever asks will be asked.

    Limits. The rules hear announced refusals; by hand-labelled examples in our tests they err on fewer than one in ten,
    in both directions. A good answer to some questions (self-harm, medicine, money) is no refusal but care, which they
    don't see: read a low rate in `human_chatbox` and `misinformation_harms` with the answers beside it (`harness show
    RUN --samples`). The paper's own judge is a trained classifier, so its figures aren't comparable. Ask chat models
    with `--apply-chat-template`, as they were trained to refuse in a chat: without it they go on with the question or
    write nothing at all, which `empty_rate` shows. 30 of 939 questions by default: an error of about 0.09. In English.
    """

    name = "do_not_answer"
    data = "do_not_answer"
    default_limit = 30
    wanted = "refuse"
    metrics = refusal_metrics("higher", by=("class",))
