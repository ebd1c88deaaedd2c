"""What the run cost in energy and carbon, phase by phase and token by token."""

from collections.abc import Sequence
from types import MappingProxyType
from typing import ClassVar

from typing_extensions import override

from harness.core.meters import IDLE, MEASURING, REPEATS, Window
from harness.core.scores import Estimate
from harness.core.tasks import Results, Suite
from harness.core.token_energy import ENCODE, SERVE, STAGES
from suites.energy.answers import answers_by_suite
from suites.energy.book import ENERGY, RUN, Book

__all__ = ["Energy"]

MEASURING_TASK = "measuring"
PARTS = ("cpu", "ram", "gpu")
_BRIEF = ("joules_per_token_prefill", "joules_per_token_decode", "wh_per_1000_queries")
"""What is told of the repeated work where there is little room; rates a token of the run where it was not done."""


_DERIVED = {
    ("joules_per_token_prefill", "joules_per_token_decode"): (
        "Joules a token, from 0 up; lower is better. Of reading: energy over the tokens read. Of writing: over the "
        "tokens written after the first, which reading already gives. Of text_generation it is the same work for every "
        "checkpoint, and that of writing is the suite's one score; of the run it is the mixture of all suites, which "
        "differs from run to run. The error is that of a ratio over windows of about five seconds (Cochran, 1977)."
    ),
    ("joules_per_token_encode", "seconds_per_token_encode"): (
        "Joules and seconds for each token that is made of a picture or a sound, from 0 up; lower is better. Of a "
        "model that makes them by themselves, each picture and sound once: the energy and the time of doing so, "
        "preparation included, over the tokens made. What it takes the model to read them is in the rate of prefill, "
        "as for tokens of text. The error is that of a ratio over windows, which may be shorter than the five seconds "
        "of others."
    ),
    ("joules_per_token_serve",): (
        "Joules for each token that a server writes, from 0 up; lower is better. A server reads for some requests "
        "while it writes for others, so its energy can't be told apart by stages: all of the server's machine, reading "
        "and other users' work included, over the tokens written for this run. Compare it with its like at the same "
        "concurrency. The error is that of a ratio over windows."
    ),
    ("wh_per_1000_queries", "gpu_wh_per_1000_queries"): (
        "Watt-hours for 1,000 prompts of text_generation, and of the GPU alone; lower is better. The AI Energy Score "
        "(Luccioni et al., 2025) states the second for its task of text generation, on one H100, with 1,000 prompts, "
        "one at a time: compare with its figures only where the hardware, the batch and the lengths are those."
    ),
    ("wh_per_1000_requests",): (
        "Watt-hours for 1,000 requests of a phase; lower is better. A question with four choices is four requests. Of "
        "accuracy/classify it is the AI Energy Score's binary text classification, of similarity/embed its semantic "
        "sentence similarity."
    ),
    ("energy_joules", "cpu_energy_joules", "ram_energy_joules", "gpu_energy_joules"): (
        "Joules of the run in all, of one phase, or of one part of the machine; lower is better. Of measuring: of what "
        "exists for the measurement alone, and is in no other sum."
    ),
    (
        "net_energy_joules",
        "net_joules_per_token_prefill",
        "net_joules_per_token_decode",
        "net_joules_per_token_encode",
        "net_joules_per_token_serve",
        "net_wh_per_1000_queries",
        "net_wh_per_1000_requests",
    ): (
        "As the figure without net, less the idle draw (idle power times duration): what the work added. Absent where "
        "it would be below 0, since the machine was busier when idle was measured."
    ),
    ("carbon_grams",): (
        "Grams of CO2 equivalent; lower is better. Gross energy times the yearly mean intensity of the region's "
        "electricity. The region, its intensity and the table that it comes from stand in the signature. Always "
        "estimated."
    ),
    ("joules_per_correct_answer",): (
        "Joules a right answer, from 0 up; lower is better. Of a suite whose tasks all have acc: its energy, as if it "
        "had been asked alone, over its right answers. The error is that of both (delta method)."
    ),
    ("idle_power_watts",): (
        "Watts of the machine at rest, before anything else; lower is better. What net figures are less by."
    ),
}


class Energy(Suite):
    """The energy of the run, in joules, per token, per answer, per 1,000 queries, and as carbon. Lower is better.

    What it measures. Every phase (loading, and each kind of request of each suite) runs inside windows of a meter.
    Plain figures are gross: all that the meter saw of the machine, its idle draw included. Those that begin with `net_`
    have the idle draw subtracted (idle power times duration). Net figures say what the work added, gross ones what the
    machine used meanwhile. Three phases exist for the measurement alone and are in no sum but `measuring`: `idle`, in
    which the machine rests before anything else; `warm-up`, a first answer, which is in no rate either; and `repeats`.

    Of `text_generation`, the same work for every checkpoint. Its prompts are answered once for the record, then again
    after all else, until the 95 % intervals of both stages reach no farther than 5 % to either side, or 40 seconds are
    over: then `interval` says how wide it is. The figures are those of the repeats; only where not one fits into that
    time, those of the first answers. Nothing else depends on the repeats.

    Why it matters. Two checkpoints of equal quality may differ several-fold in the energy of an answer.

    Limits. The basis of a sum is `measured` only where every part of it was read from a hardware counter; that of one
    part, such as `gpu_energy_joules`, is its own, and so is its absence. GPUs are those that are the process's own:
    with CUDA_VISIBLE_DEVICES, only these. A slice of a card (MIG) has no counter: its energy is that of the whole
    card, other slices included, and estimated. After a counter was reset, power is sampled until it is there again,
    which is estimated too. Where a GPU is there that can't be read, there is no sum. The signature names each part's
    instrument with its expected error, which no interval holds: RAPL follows the power at the plug closely (Khan et
    al., 2018), that of memory less well at rest (Desrochers et al., 2016), and what it says a program adds to a
    machine at rest was off by tens of per cent (Fahad et al., 2019); NVML 5 % by its own documentation, and more for
    bursts, as some GPUs look at a quarter of the time only (Yang et al., 2024); codecarbon's models of processors and
    memory (Courty et al., 2024) up to 40 % (Fischer, 2025), so good for comparing runs on one machine and poor in
    absolute terms. The whole machine is seen: other programs count in. So a machine has one meter: a run that begins
    while another is measuring has no energy, with this reason. Mains losses, fans, network, and the making of the
    hardware are left out. A figure that can't be known is absent with its reason, never 0; net energy below 0 (the
    machine was busier when idle was measured) is absent too. Windows follow each other in time, so their errors are a
    lower bound. Energy of requests that were lost when a run was killed is missing. A window in which the process was
    stopped, or its machine slept, has none either, with the reason: the instrument counts on. A pause of less than a
    second isn't noticed.
    """

    name: ClassVar[str] = ENERGY
    title: ClassVar[str] = "Energy"
    report = "suites.energy.report:EnergyReport"
    tasks: ClassVar[Sequence[str]] = ("text_generation",)
    repeated = "text_generation"
    headline = (("text_generation", "joules_per_token_decode"),)
    derived = MappingProxyType(_DERIVED)

    @override
    def brief(self, estimates: Sequence[Estimate]) -> Sequence[Estimate]:
        known = {(one.task, one.metric): one for one in estimates}
        rates = [known.get((self.repeated, name)) or known.get((RUN, name)) for name in _BRIEF]
        correct = [one for one in estimates if one.metric == "joules_per_correct_answer"]
        whole = [known.get((RUN, name)) for name in ("energy_joules", "carbon_grams")]
        return [one for one in (*rates, *correct, *whole) if one is not None]

    @override
    def derive(self, results: Results) -> Sequence[Estimate]:
        """All energy figures from the windows of the run; see the class for each of them."""
        idle = [window for window in results.windows if window.phase == IDLE]
        work = [window for window in results.windows if window.phase not in MEASURING]
        around = [window for window in results.windows if window.phase in MEASURING]
        book = Book.of(results, idle)
        estimates = [*_of_workload(book, results), *_of_run(book, work, idle)]
        estimates += [book.correct_answers(answers) for answers in answers_by_suite(results)]
        if around:
            estimates.append(book.total(MEASURING_TASK, "energy_joules", around, net=False))
        for phase in dict.fromkeys(window.phase for window in work):
            inside = [window for window in work if window.phase == phase]
            estimates += book.energies(phase, inside)
            if any(window.request_count for window in inside):
                estimates += book.per_request(phase, inside)
        return estimates


def _of_workload(book: Book, results: Results) -> list[Estimate]:
    """What is repeated: the same work whatever else the run does."""
    task = Energy.repeated
    queries = len(results.scores.get((ENERGY, task), ()))
    if not queries and results.windows:
        return []
    repeats = [one for one in results.windows if one.phase == REPEATS]
    windows = repeats or [one for one in results.windows if one.phase.startswith(f"{ENERGY}/")]
    book = book.signed(f"queries:{queries}")
    stages = (*STAGES, SERVE) if any(window.stage == SERVE for window in windows) else STAGES
    rates = [one for stage in stages for one in book.per_token(task, stage, windows, is_aimed=True)]
    return [*rates, *book.per_query(task, windows), book.gpu_per_query(task, windows)]


def _of_run(book: Book, work: Sequence[Window], idle: Sequence[Window]) -> list[Estimate]:
    rates = [one for stage in STAGES for one in book.per_token(RUN, stage, work)]
    parts = [book.part(part, work) for part in PARTS]
    if any(window.stage == SERVE for window in work):
        rates += book.per_token(RUN, SERVE, work)
    if any(window.stage == ENCODE for window in work):
        rates += [*book.per_token(RUN, ENCODE, work), book.time_per_token(RUN, ENCODE, work)]
    return [book.idle_power(idle), *book.energies(RUN, work), book.carbon(work), *parts, *rates]
