"""What exactly was evaluated, where, and who answers for it."""

from harness.core.text.display import number
from harness.report.blocks import Block, Column, Facts, Note, Paragraph, Section, Table
from harness.report.context import ReportContext

__all__ = ["identity", "machine", "responsibility"]


def identity(context: ReportContext) -> list[Section]:
    """The checkpoint, file by file, and the settings of the run."""
    words, checkpoint, spec = context.words, context.checkpoint, context.record.spec
    facts = [
        (words("reference"), spec.model),
        (words("origin"), str(checkpoint.get("origin") or "")),
        (words("kind"), words(spec.kind)),
        (words("architecture"), str(checkpoint.get("architecture") or "")),
        (words("parameters"), number(checkpoint.get("parameter_count"))),
        (words("bytes on disk"), number(checkpoint.get("size_bytes"))),
        (words("bits a weight"), number(checkpoint.get("bits_per_weight"))),
        (words("parent's fingerprint"), str(checkpoint.get("parent_fingerprint") or "")),
        (words("fingerprint (SHA-256)"), spec.fingerprint),
        (words("read as"), f"{spec.dtype}, {spec.device}"),
        (words("chat template"), words("applied") if spec.apply_chat_template else words("not applied")),
        (words("seed"), str(spec.seed)),
    ]
    blocks: list[Block] = [Facts(items=[(name, value) for name, value in facts if value])]
    blocks += [Paragraph(text=context.words.reason(note)) for note in context.record.checkpoint_notes]
    blocks.append(
        Table(
            caption=words("Files of the checkpoint"),
            columns=[Column(title=words("file"), width=1), Column(title="SHA-256", width=2.2, kind="code")],
            rows=[[name, digest] for name, digest in sorted(checkpoint["files"].items())],
        )
    )
    return [Section(title=words("What was evaluated"), blocks=blocks)]


def responsibility(context: ReportContext) -> list[Section]:
    """Intended use and signature: what the data can't tell."""
    words, said = context.words, context.statements
    unknown = words("not stated")
    blocks: list[Block] = [
        Facts(
            items=[
                (words("intended use"), said.intended_use or unknown),
                (words("organisation"), said.organisation or unknown),
                (words("responsible for this report"), said.signer or unknown),
                (words("date of the run"), context.record.started_at.date().isoformat()),
                (words("date and signature"), "_" * 40),
            ]
        ),
        Paragraph(
            text=words(
                "A use that is not stated can't be judged: the scores below say how the model did on these tests, not "
                "whether it is fit for a purpose."
            )
        ),
    ]
    return [Section(title=words("Intended use and responsibility"), blocks=blocks)]


def machine(context: ReportContext) -> list[Section]:
    """The machine, its software, and what the engine saved."""
    words, environment = context.words, context.environment
    asked, computed = context.record.token_counts
    facts = [
        (words("platform"), str(environment.get("platform") or "")),
        ("Python", str(environment.get("python") or "")),
        (words("device"), str(environment.get("device_name") or environment.get("device") or "")),
        (words("processors"), str(environment.get("logical_cpu_count") or "")),
        (words("memory, bytes"), number(environment.get("memory_bytes"))),
        (words("peak memory of the run, bytes"), number(environment.get("peak_memory_bytes"))),
        (words("began"), str(environment.get("started_at") or "")),
        (words("tokens asked, and computed"), f"{asked:,}, {computed:,}"),
    ]
    packages = environment.get("packages", {})
    blocks: list[Block] = [
        Facts(items=[(name, value) for name, value in facts if value]),
        Note(term=words("packages"), text=", ".join(f"{name} {version}" for name, version in sorted(packages.items()))),
    ]
    return [Section(title=words("Machine and software"), blocks=blocks)]
