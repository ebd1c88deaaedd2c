"""How a reader who trusts nobody checks the report, and the words it uses."""

from harness.record.opening import read_json
from harness.record.seal import SEAL
from harness.report.blocks import Block, Bullets, Code, Column, Facts, Paragraph, Section, Table
from harness.report.context import ReportContext

__all__ = ["glossary", "verification"]

TERMS = (
    (
        "95 % interval",
        "Made so that, over many repetitions on other samples, 95 of 100 such intervals hold the true value.",
    ),
    ("standard error", "How far a score would typically move if other samples of the same kind had been drawn."),
    ("n", "How many samples a score is made of."),
    (
        "basis",
        "Measured: read from the model or a counter. Estimated: worked out from assumptions such as nominal power.",
    ),
    ("dimension", "One side of a model that is judged by itself, such as fairness; its tests form a suite."),
    ("task", "One test: data, prompts, and the way in which answers are scored."),
    ("exemplar", "A question with its answer that stands before the one that is asked."),
    ("log-likelihood", "The logarithm of the probability that a model gives a text; the nearer to 0, the likelier."),
    ("fingerprint", "A digest of weights, configuration, tokenizer and chat template: another model has another one."),
    ("digest (SHA-256)", "64 digits that change wholly when any byte of a file does."),
    ("seal", "Digests of every file of a record, written last: a later change of any byte shows."),
    ("gate", "A policy with thresholds that lets a checkpoint pass, fails it, or says that the data can't decide."),
    ("inconclusive", "The interval reaches over the threshold: more samples are needed to decide."),
    ("target", "Where neither more nor less is better, the best value: 50 for a stereotype score."),
)


def verification(context: ReportContext) -> list[Section]:
    """Steps, and the digests that they compare."""
    words, record = context.words, context.record
    sealed = read_json(record.folder / SEAL)
    steps = [
        words("Install the harness in the version that is named below, and get the record's folder."),
        words("Run the first command: it hashes every file again and names whatever was changed."),
        words("With the publisher's public key, run the second: it also checks who sealed the record."),
        words("With the checkpoint, run the third: it asks some samples again and compares the answers."),
        words("Where the report itself is signed, THIS_FILE.dsse.json stands beside it, and the fourth checks it."),
        words(
            "Compare the digests of this section with those in the record's file seal.json, which is "
            "attached to the PDF."
        ),
    ]
    commands = "\n".join(
        (
            f"harness verify {record.run_id}",
            f"harness verify {record.run_id} --public-key publisher.pub",
            f"harness verify {record.run_id} --rerun 20",
            "harness verify THIS_FILE --public-key publisher.pub",
        )
    )
    blocks: list[Block] = [
        Bullets(items=steps, numbered=True),
        Code(text=commands, title=words("Commands")),
        Table(
            caption=words("Digests of the record's files"),
            columns=[Column(title=words("file"), width=1), Column(title="SHA-256", width=2.4, kind="code")],
            rows=[[name, digest] for name, digest in sorted(sealed["files"].items())],
        ),
        Paragraph(
            text=words(
                "A seal proves that nothing was changed since; a signature, who sealed it. Neither "
                "proves that the run was "
                "made honestly: asking samples again does."
            )
        ),
    ]
    return [Section(title=words("How to verify this report"), blocks=blocks)]


def glossary(context: ReportContext) -> list[Section]:
    """The words that a reader from outside the field may not know."""
    words = context.words
    return [
        Section(
            title=words("Glossary"),
            blocks=[Facts(items=[(words(term), words(meaning)) for term, meaning in TERMS])],
        )
    ]
