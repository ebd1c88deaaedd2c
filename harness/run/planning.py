"""What a run will do, known before a weight is loaded: checkpoint, questions, and the spec that names the run."""

import inspect
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from datetime import date
from pathlib import Path
from typing import Any

from harness.checkpoints import refuse_remote_code, refuse_template, resolve, resolve_dtype
from harness.checkpoints.chat_templates import asks_for_date, thinking_switch
from harness.checkpoints.labels import with_labels
from harness.checkpoints.loading.dtypes import SERVED
from harness.checkpoints.loading.placement import Spread, check_spread
from harness.checkpoints.loading.quantised import require_backend
from harness.checkpoints.trainer_state import stated_point
from harness.core import registry
from harness.core.checkpoints import Checkpoint
from harness.core.errors import InputError, RecordError
from harness.core.meters import SERVER
from harness.core.process.paths import public_name
from harness.core.process.reachable import code_digest
from harness.core.requests import GenerateUntil
from harness.core.text.hashing import MAX_INTEGER, SHORT
from harness.core.training.point import TrainingPoint, said_point
from harness.engine.devices import default_batch_tokens
from harness.record import RunRecord, RunSpec
from harness.record.environment import (
    package_versions,
)
from harness.run.gen_kwargs import GenKwargs, parse_gen_kwargs
from harness.run.memory_limit import check_size
from harness.run.metering import METERS
from harness.run.options import EvalOptions
from harness.run.outlook.fetching import tell_what_is_fetched
from harness.run.references import find_reference, recorded_reference, use_corpus, use_reference, with_adapted
from harness.run.replicas.options import ReplicaOptions
from harness.run.replicas.room import check_replicas, device_of
from harness.run.work import EXECUTES_CODE, NO_REFERENCE, SkippedTask, TaskWork, applicable, prepare
from harness.sandbox import require_sandbox
from harness.scorers.judges import use_judges
from harness.suitefiles.selection import Selection, select
from harness.tasks.options import LM_EVAL, ChatOptions, TaskOptions
from harness.tasks.sampling import Sampling
from harness.tasks.written import Written

__all__ = ["Plan", "plan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that a run will do, known before a weight is loaded."""

    checkpoint: Checkpoint
    reference: Checkpoint | None
    selection: Selection
    work: tuple[TaskWork, ...]
    skipped: tuple[SkippedTask, ...]
    spec: RunSpec
    trust_remote_code: bool
    spread: Spread
    plugin_timeout_s: float
    replicas: ReplicaOptions


def plan(model: str, *, suite: str | Sequence[str], task: str | Sequence[str], options: EvalOptions) -> Plan:
    """Resolve the checkpoint, load the data, make the requests. Raises `HarnessError` for whatever can't be run."""
    if options.batch_tokens is not None and not 1 <= options.batch_tokens <= MAX_INTEGER:
        raise InputError(f"must be from 1 to {MAX_INTEGER}", place=f"--batch-tokens {options.batch_tokens}")
    check_replicas(options.replicas, options.max_memory_bytes)
    found = resolve(model, offline=options.offline, kind=options.kind, base=options.base, endpoint=options.endpoint)
    check_size(found.size_bytes, options.max_memory_bytes)
    asked_for = parse_gen_kwargs(options.gen_kwargs)
    checkpoint, sampling = asked_for.steered(_told(found, options)), asked_for.drawn(_draws(options))
    # Before any data are fetched: a mistyped option must not cost a download.
    machine = _machine(checkpoint, options)
    spread = _spread(checkpoint, machine, options)
    if not options.trust_remote_code:
        refuse_remote_code(checkpoint)
    chat = _chat(checkpoint, options)
    require_backend(checkpoint)
    reference = find_reference(checkpoint, options)
    check_size((found.size_bytes or 0) + ((reference and reference.size_bytes) or 0), options.max_memory_bytes)
    suites, tasks = [suite] if isinstance(suite, str) else suite, [task] if isinstance(task, str) else task
    task_options = _task_options(options, chat, asked_for)
    tell_what_is_fetched(suites, tasks, task_options)
    selection = select(
        suites,
        tasks,
        limit=options.limit,
        num_fewshot=options.num_fewshot,
        seed=options.seed,
        options=task_options,
    )
    selection = _equip(with_adapted(selection, options.adapt), options, reference)
    _use_sampling(selection, sampling, checkpoint, asked_for)
    # What is asked of it depends on whether its template is in force, and not on whether there is one.
    in_chat = options.apply_chat_template or registry.kind(checkpoint.kind).is_chat
    asked = replace(checkpoint, has_chat_template=in_chat)
    chosen, skipped = applicable(
        selection.planned,
        asked,
        allow_code_execution=options.allow_code_execution,
        has_reference=reference is not None,
        multiturn=bool(options.fewshot_as_multiturn),
    )
    if any(one.task.executes_code for one in chosen):
        require_sandbox()
    if not chosen:
        raise _nothing_defined(model, checkpoint, skipped)
    work = tuple(prepare(chosen, offline=options.offline, step_timeout_s=options.plugin_timeout_s))
    return Plan(
        checkpoint=checkpoint,
        reference=reference,
        selection=selection,
        work=work,
        skipped=tuple(skipped),
        spec=_dated(
            _spec(checkpoint, reference, machine, selection, work, options, chat, asked_for), checkpoint, options
        ),
        trust_remote_code=options.trust_remote_code,
        spread=spread,
        plugin_timeout_s=options.plugin_timeout_s,
        replicas=options.replicas,
    )


def _equip(selection: Selection, options: EvalOptions, reference: Checkpoint | None) -> Selection:
    """Give the tasks what they need beside the model: judges of what is written, the reference, a corpus."""
    tasks = [one.task for one in selection.planned]
    use_judges(
        tasks,
        toxicity_model=options.toxicity_model,
        bertscore_model=options.bertscore_model,
        offline=options.offline,
    )
    use_reference(tasks, reference)
    use_corpus(tasks, options.corpus)
    return selection


def _task_options(options: EvalOptions, chat: ChatOptions | None, asked_for: GenKwargs) -> TaskOptions:
    return TaskOptions(
        include_path=options.include_path,
        task_data=options.task_data,
        trust_task_code=options.trust_task_code,
        trust_metric_code=options.trust_metric_code,
        offline=options.offline,
        chat=chat,
        gen_kwargs={**asked_for.sampling, **dict.fromkeys(asked_for.steering)},
    )


def _draws(options: EvalOptions) -> Mapping[str, Any]:
    return {one.name: getattr(options, one.name) for one in fields(Sampling)}


def _use_sampling(selection: Selection, sampling: Sampling, checkpoint: Checkpoint, asked_for: GenKwargs) -> None:
    """Have tasks draw answers so. Raises `InputError` where none of them takes any, or the window is too small."""
    writing = [one for one in selection.planned if GenerateUntil in one.task.asks]
    if asked_for.steering and not writing:
        raise InputError(
            "has no effect: the model writes in no task that was asked for",
            place="--gen-kwargs",
            fix="Leave it out, or ask for such a task, as those of the suite reasoning",
        )
    window = checkpoint.max_length
    if sampling.max_tokens and window and sampling.max_tokens >= window:
        raise InputError(
            f"leaves no room for a prompt in the model's context window of {window} tokens",
            place=f"--max-tokens {sampling.max_tokens}",
            fix="Give less",
        )
    tasks = [one.task for one in selection.planned if isinstance(one.task, Written)]
    # lm-eval's own tasks have taken what `--gen-kwargs` says when they were loaded.
    others = asked_for.sampling and any(one.task.name.startswith(f"{LM_EVAL}:") for one in writing)
    if not (tasks or others) and not sampling.is_usual:
        raise InputError(
            "have no effect: no task that was asked for is answered in the model's own words",
            place="--samples, --temperature, --top-p, --top-k, --max-tokens, --gen-kwargs",
            fix="Leave them out, or ask for such a task, as those of the suite reasoning",
        )
    for task in tasks:
        task.use_sampling(sampling)


def _nothing_defined(model: str, checkpoint: Checkpoint, skipped: Sequence[SkippedTask]) -> InputError:
    kind = registry.kind(checkpoint.kind)
    # What a task for this kind says of this checkpoint is more to the point than that others are for another kind.
    near = [one for one in skipped if not any(map(kind.refusal, one.planned.task.asks))]
    if alone := [one for one in skipped if one.reason == NO_REFERENCE]:
        return InputError(
            "compares the model with another one, and none was given",
            place=alone[0].planned.task.name,
            fix="Add --reference MODEL: what this one was quantised, pruned, distilled or merged from",
        )
    if unallowed := [one for one in skipped if one.reason == EXECUTES_CODE]:
        return InputError(
            "runs programs that the model writes (in a sandbox), which has to be allowed",
            place=unallowed[0].planned.task.name,
            fix="Add --allow-code-execution",
        )
    return InputError(
        f"is of the kind {checkpoint.kind}, for which none of the tasks asked for is defined: "
        f"{[*near, *skipped][0].reason}",
        place=model,
        fix="`harness inspect --model` lists what is; a suite file makes tasks of your own data",
    )


def _told(checkpoint: Checkpoint, options: EvalOptions) -> Checkpoint:
    """The checkpoint with what the user says of it. Raises `InputError` for what its kind doesn't have."""
    said_point(options.lineage, options.step, options.tags)  # what can't be kept of it is no reason to begin
    if options.labels:
        checkpoint = with_labels(checkpoint, options.labels)
    for option, code in (("source", options.source_language), ("target", options.target_language)):
        if code is not None and registry.kind(checkpoint.kind).transformer != "encoder-decoder":
            raise InputError(
                f"the checkpoint is of the kind {checkpoint.kind}, which takes no language code",
                place=f"--{option}-language {code}",
                fix="Leave it out",
            )
    return replace(checkpoint, source_language=options.source_language, target_language=options.target_language)


def _spec(
    checkpoint: Checkpoint,
    reference: Checkpoint | None,
    machine: tuple[str, str, str],
    selection: Selection,
    work: Sequence[TaskWork],
    options: EvalOptions,
    chat: ChatOptions | None,
    asked_for: GenKwargs,
) -> RunSpec:
    device, dtype, meter = machine
    return RunSpec(
        model=public_name(checkpoint.ref),
        fingerprint=checkpoint.fingerprint,
        kind=checkpoint.kind,
        tasks=tuple(one.spec for one in work),
        suites=tuple(suite.name for suite in selection.suites),
        seed=options.seed,
        dtype=dtype,
        device=device,
        batch_tokens=options.batch_tokens or default_batch_tokens(device),
        apply_chat_template=options.apply_chat_template,
        fewshot_as_multiturn=chat is not None and chat.fewshot_as_multiturn,
        system_prompt=options.system_prompt,
        thinking=None if options.thinking == "auto" else options.thinking,
        labels=checkpoint.labels,
        source_language=checkpoint.source_language,
        target_language=checkpoint.target_language,
        generation=dict(checkpoint.generation.followed),
        gen_kwargs=dict(asked_for.steering) or None,
        reference=recorded_reference(reference, options, device),
        meter=meter,
        region=options.region,
        versions=package_versions(),
        aggregates={one.name: one.definition_sha256 for one in selection.aggregates},
        weights=dict(selection.weights),
        code=_code(selection, meter),
        **_training(checkpoint, options),
    )


def _training(checkpoint: Checkpoint, options: EvalOptions) -> dict[str, Any]:
    """Where in its training the checkpoint stands, as the spec has it: what the user didn't say, the trainer may."""
    said = said_point(options.lineage, options.step, options.tags)
    stated = TrainingPoint() if said.lineage and said.step is not None else stated_point(checkpoint)
    step = stated.step if said.step is None else said.step
    return {"lineage": said.lineage or stated.lineage, "step": step, "tags": dict(said.tags)}


def _dated(spec: RunSpec, checkpoint: Checkpoint, options: EvalOptions) -> RunSpec:
    """The spec with the day of its chat, where the template asks for one: that of the run, if it has begun already."""
    if not spec.apply_chat_template or not asks_for_date(checkpoint):
        return spec
    begun = None
    with suppress(RecordError):  # there is no such run, or it is damaged and begins anew
        begun = RunRecord(options.output / spec.run_id).spec.chat_date
    return replace(spec, chat_date=begun or date.today().isoformat())


def _code(selection: Selection, meter: str) -> dict[str, str]:
    """Digests of the code that enters a run beside its tasks': of its suites, and of its meter."""
    files = {f"suite/{suite.name}": Path(inspect.getfile(type(suite))) for suite in selection.suites}
    if file := registry.source(METERS, meter):
        files[f"meter/{meter}"] = file
    return {name: code_digest([file])[:SHORT] for name, file in files.items()}


def _chat(checkpoint: Checkpoint, options: EvalOptions) -> ChatOptions | None:
    """The chat that is asked for; None without one. Raises `InputError` for what has no effect without a chat."""
    is_chat = registry.kind(checkpoint.kind).is_chat
    if options.thinking != "auto" and (is_chat or not options.apply_chat_template):
        raise InputError(
            "whether a served model thinks is set on its server" if is_chat else "has no effect without a chat",
            place=f"--thinking {options.thinking}",
            fix="Set it where the server is started" if is_chat else "Add --apply-chat-template",
        )
    if options.system_prompt is not None and not (options.apply_chat_template or is_chat):
        raise InputError("has no effect without a chat", place="--system-prompt", fix="Add --apply-chat-template")
    if not options.apply_chat_template:
        if options.fewshot_as_multiturn:
            raise InputError(
                "has no effect without a chat", place="--fewshot-as-multiturn", fix="Add --apply-chat-template"
            )
        return None
    if not is_chat:
        refuse_template(checkpoint)
        if options.thinking != "auto" and not thinking_switch(checkpoint):
            raise InputError(
                "the checkpoint's chat template has no switch for thinking",
                place=f"--thinking {options.thinking}",
                fix="Leave it out: the model thinks, or doesn't, as it was trained to",
            )
    # As lm-evaluation-harness has it, exemplars of its tasks are turns unless the user says otherwise.
    return ChatOptions(
        fewshot_as_multiturn=options.fewshot_as_multiturn is not False, system_prompt=options.system_prompt
    )


def _spread(checkpoint: Checkpoint, machine: tuple[str, str, str], options: EvalOptions) -> Spread:
    """Where the weights go. Raises `HarnessError` for what can't be; machines of a cluster see for themselves."""
    spread = Spread(device_map=options.device_map, tensor_parallel=options.tensor_parallel)
    if options.replicas.ray_address is None and checkpoint.dtype != SERVED:
        check_spread(spread, checkpoint, machine[1], machine[0])
    return spread


def _machine(checkpoint: Checkpoint, options: EvalOptions) -> tuple[str, str, str]:
    """Device, dtype and meter of a run; where the model is served elsewhere, its server's."""
    if checkpoint.dtype != SERVED:
        device, meter = device_of(options.replicas, options.device), options.meter
    elif options.replicas.workers is not None:
        raise InputError("a served model is asked by one process", place="--workers", fix="Give --concurrency")
    elif options.device == "auto":
        counted = checkpoint.config.get("counters") and options.meter != "none"
        device, meter = SERVED, SERVER if counted else "none"
    else:
        raise InputError("the server chooses that", place=f"--device {options.device}", fix="Leave it out")
    if meter != "none":
        registry.load(METERS, meter)
    return device, resolve_dtype(checkpoint, options.dtype, device=device), meter
