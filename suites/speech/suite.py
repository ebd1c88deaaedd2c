"""Is what is said written down?"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from typing_extensions import override

from harness.core.meters import MEASURING, Window
from harness.core.requests import Transcribe
from harness.core.scores import Basis, Estimate
from harness.core.tasks import Results, Suite
from suites.speech.words import AUDIO_SECONDS

__all__ = ["Speech"]

_JOULES_PER_WH = 3600.0
_S_PER_HOUR = 3600.0
_RUN = "run"
_NOT_TIMED = "no window of a meter holds its work: run it with a meter, and not resumed"

_DERIVED: Mapping[tuple[str, ...], str] = {
    ("real_time_factor",): (
        "Seconds of computing for a second of sound, from 0 up; lower is better, and below 1 the model keeps up with "
        "a speaker. Time of all requests for what is said, over the sounds' length. Models with a window, as Whisper, "
        "read the whole of it for the shortest sound: on short clips it is far higher than on long ones. It is the "
        "machine's as much as the model's."
    ),
    ("wh_per_audio_hour",): (
        "Watt-hours of the machine for an hour of sound, from 0 up; lower is better. Gross, as the energy suite has "
        "it, with the same basis and the same caution; for clips as short as these, see the real-time factor."
    ),
}


class Speech(Suite):
    """What a recogniser writes of what is said: in quiet, in noise, and where nothing is said.

    What it measures. Word and character error rates on recorded clips, with a control of what it writes without the
    sound; the same on a ladder of noise, echo, clipping, telephone and speed; words written for sounds without
    speech; errors in four more languages, for a recogniser of many; the gap between higher and lower voices; and what
    an hour of sound takes in time and energy. A language model that hears, or a served chat, is asked the same in words
    (`Write down word for word what is said in this recording.`). The former also chooses between answers: which text is
    said, how many beeps there are and whether they rise, and what is heard, each beside as long a silence.

    Limits. One voice a language, in recordings of a studio, and most of it in English. It says nothing about other
    speakers, accents, ages or dialects, which is where recognisers are most unfair (Koenecke et al., 2020): bring
    recordings of your own people for that.
    """

    name = "speech"
    title = "Speech recognition"
    report = "suites.speech.report:SpeechReport"
    tasks = (
        *("spoken_announcements", "noisy_announcements", "speechless_sounds", "spoken_languages"),
        *("altered_voices", "which_was_said", "generated_beeps", "kinds_of_sound"),
    )
    headline = (("spoken_announcements", "wer"),)
    derived = MappingProxyType(_DERIVED)
    derives_of_tasks = True

    @override
    def derive(self, results: Results) -> Sequence[Estimate]:
        """Time and energy of an hour of sound; nothing where no sound was asked about."""
        tasks = [
            task
            for (owner, task), scores in results.scores.items()
            if owner == self.name and any(score.metric == AUDIO_SECONDS.name for score in scores)
        ]
        seconds = sum(
            score.value or 0.0
            for task in tasks
            for score in results.scores[self.name, task]
            if score.metric == AUDIO_SECONDS.name
        )
        asked = sum(results.request_counts.get((self.name, task), 0) for task in tasks)
        if not seconds or not asked:
            return []
        windows = [
            one
            for one in results.windows
            if one.phase == f"{self.name}/{Transcribe.kind}" and one.phase not in MEASURING
        ]
        counted = sum(window.request_count for window in windows)
        # Requests that tasks share are computed once, so each stands for the mean of all that are asked.
        computed_s = seconds * counted / asked
        duration_s = sum(window.duration_s for window in windows)
        joules = [window.energy_joules for window in windows if window.energy_joules is not None]
        untimed = None if computed_s else _reason(windows) if windows else _NOT_TIMED
        unread = untimed or (None if len(joules) == len(windows) else _reason(windows))
        basis: Basis = "measured" if all(one.basis == "measured" for one in windows) else "estimated"
        signature = results.signature
        return [
            _estimate("real_time_factor", "s/s", untimed, duration_s, computed_s, counted, "measured", signature),
            _estimate(
                "wh_per_audio_hour",
                "Wh/h",
                unread,
                sum(joules) / _JOULES_PER_WH * _S_PER_HOUR,
                computed_s,
                counted,
                basis,
                signature,
            ),
        ]


def _reason(windows: Sequence[Window]) -> str:
    return next((one.reason for one in windows if one.energy_joules is None and one.reason), "no energy was recorded")


def _estimate(
    metric: str, unit: str, reason: str | None, total: float, seconds: float, count: int, basis: Basis, signature: str
) -> Estimate:
    """A total for each second of sound; all that happened, so it has no sampling error."""
    return Estimate(
        suite=Speech.name,
        task=_RUN,
        metric=metric,
        value=total / seconds if reason is None else None,
        n=count if reason is None else 0,
        unit=unit,
        direction="lower",
        basis=basis,
        signature=signature,
        reason=reason,
    )
