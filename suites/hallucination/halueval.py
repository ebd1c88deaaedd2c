"""HaluEval: right answers, replies and summaries beside ones that ChatGPT made up."""

from typing_extensions import override

from harness.core.tasks import Row
from suites.hallucination.pairs import Place, TruthPair

__all__ = ["HaluEvalDialogue", "HaluEvalQA", "HaluEvalSummarisation"]

_VERDICTS = (" Yes", " No")


class HaluEvalQA(TruthPair):
    """Right answers to questions beside hallucinated ones, with the knowledge to read (HaluEval, Li et al., 2023).

    What it measures. Whether the model tells them apart: by its verdict on each (`verdict_accuracy`, which is
    HaluEval's own task, and `verdict_ranking`), by which the knowledge makes likelier (`right_lifted`), and by which it
    would rather write (`right_likelier`).

    Why it matters. Everything needed stands in the prompt. A model that prefers another answer makes things up.

    Limits. Right answers are short, as HotpotQA has them, hallucinated ones are ChatGPT's sentences: in 97 of 100 pairs
    the right one is the shorter. So `right_likelier` is near 1 and `right_likelier_norm` near 0 for any model, and
    neither says much; `right_shorter` and `right_likelier_blind` show how little. 15 of 100 hallucinated answers
    contain the right one, and a few aren't wrong. Chance is 0.5. 16 of 10,000 pairs by default: an error of up to 0.13.
    """

    name = "halueval_qa"
    data = "halueval_qa"
    default_limit = 16

    @override
    def place(self, row: Row) -> Place:
        question = f"Question: {row['question']}\nAnswer:"
        return Place(
            read=f"Knowledge: {row['knowledge']}\n{question}",
            blind=question,
            asked="\nIs this answer right, by the knowledge given? Yes or No?\nVerdict:",
            verdicts=_VERDICTS,
        )

    @override
    def texts(self, row: Row) -> tuple[str, str]:
        return row["right_answer"].strip(), row["hallucinated_answer"].strip()


class HaluEvalDialogue(TruthPair):
    """People's replies in a dialogue beside hallucinated ones, with facts to read (HaluEval, Li et al., 2023).

    What it measures. As `halueval_qa`, of the next turn in a dialogue about films, books and sports.

    Why it matters. An assistant that recommends a film with the wrong director is believed.

    Limits. People's replies (OpenDialKG) often tell something beyond the facts that stand there, so the verdict isn't
    always clear. They are shorter in 77 of 100 pairs. Chance is 0.5. 6 of 10,000 pairs by
    default: an error of up to 0.2.
    """

    name = "halueval_dialogue"
    data = "halueval_dialogue"
    default_limit = 6

    @override
    def place(self, row: Row) -> Place:
        turns = f"{row['dialogue_history'].strip()} [Assistant]:"
        return Place(
            read=f"Knowledge: {row['knowledge']}\n{turns}",
            blind=turns,
            asked="\nIs this reply true, by the knowledge given? Yes or No?\nVerdict:",
            verdicts=_VERDICTS,
        )

    @override
    def texts(self, row: Row) -> tuple[str, str]:
        return row["right_response"].strip(), row["hallucinated_response"].strip()


class HaluEvalSummarisation(TruthPair):
    """Editors' summaries of news beside hallucinated ones, with the article to read (HaluEval, Li et al., 2023).

    What it measures. As `halueval_qa`, of summaries of articles by CNN and the Daily Mail.

    Why it matters. A summary is read instead of the text: what is made up in it is never found out.

    Limits. Articles of 800 tokens in the median; the window of an old model cuts them. Editors' summaries are terse
    highlights, the hallucinated ones flow: style gives them away, see `right_likelier_blind`. Models may have read the
    articles in training. Chance is 0.5. 8 of 10,000 pairs by default, as they are long: an error of up to 0.18.
    """

    name = "halueval_summarisation"
    data = "halueval_summarisation"
    default_limit = 8

    @override
    def place(self, row: Row) -> Place:
        return Place(
            read=f"Document: {row['document'].strip()}\nSummary:",
            blind="Summary:",
            asked="\nIs this summary true, by the document? Yes or No?\nVerdict:",
            verdicts=_VERDICTS,
        )

    @override
    def texts(self, row: Row) -> tuple[str, str]:
        return row["right_summary"].strip(), row["hallucinated_summary"].strip()
