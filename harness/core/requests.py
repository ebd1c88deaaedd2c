"""What can be asked of a model, and how it answers.

The names of the first three kinds are lm-evaluation-harness's. A request's id is the digest of all that can change its
answer apart from the model, so two tasks that ask the same thing ask it once. A prompt of another nature, such as one
that holds pictures or sounds, is a kind of its own beside these.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import ClassVar, Literal

from harness.core.attributions import Attribution, AttributionSettings, Unit
from harness.core.media import AUDIO, media_type_of
from harness.core.prompts.parts import Conversation, EmbeddingNoise, Tools
from harness.core.text.hashing import digest
from harness.core.text.values import field_values

__all__ = [
    "Attribute",
    "AttributePicture",
    "AttributeSound",
    "AudioGenerateUntil",
    "AudioLoglikelihood",
    "Classify",
    "Conversation",
    "Embed",
    "EmbeddingNoise",
    "GenerateUntil",
    "Loglikelihood",
    "LoglikelihoodRolling",
    "MatchTexts",
    "MultimodalGenerateUntil",
    "MultimodalLoglikelihood",
    "PseudoLoglikelihood",
    "Request",
    "Response",
    "Stop",
    "Tag",
    "TokenLoglikelihoods",
    "Tools",
    "Transcribe",
    "with_media",
]


Stop = Literal["end", "stop string", "length"]
"""How a text ended: by the model's end-of-text token, by a stop string, or cut when its tokens were used up."""


_LEFT_OUT = ("noise", "chat", "top_k", "tools")
"""Fields that are no part of a request's id where they are None."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """One question to a model. Concrete kinds below; `kind` names the kind in records and signatures.

    `lack` says of a model that can't answer it what that model lacks, as the end of a sentence about it.
    `needs_reference` says that it is asked about a second model too, which the user names (`--reference`), and
    `needs_training` that the model is trained before it is asked.
    """

    kind: ClassVar[str]
    lack: ClassVar[str] = ""
    needs_reference: ClassVar[bool] = False
    needs_training: ClassVar[bool] = False

    @cached_property
    def id(self) -> str:
        """Digest of the kind and of every field, 64 hexadecimal digits; what there is none of is no part of it."""
        fields = {
            name: value for name, value in field_values(self).items() if value is not None or name not in _LEFT_OUT
        }
        return digest({"kind": self.kind, **fields})


@dataclass(frozen=True, kw_only=True)
class Loglikelihood(Request):
    """How likely is `continuation` after `context`?

    The answer holds the sum of the natural-log probabilities of the continuation's tokens, and whether greedy
    decoding would have produced them. Spaces at the end of the context count to the continuation, so that words
    are cut into tokens as in running text. An empty context stands for the model's beginning-of-text token.
    A context too long for the model loses its beginning. `noise` lies on the context, and `chat` around it.
    """

    kind: ClassVar[str] = "loglikelihood"
    lack: ClassVar[str] = "gives no likelihood of one text after another"
    context: str
    continuation: str
    noise: EmbeddingNoise | None = None
    chat: Conversation | None = None

    @property
    def parted(self) -> tuple[str, str]:
        """What is only read, and what is predicted: the spaces between the two go with the latter."""
        bare = self.context.rstrip()
        return bare, self.context[len(bare) :] + self.continuation


@dataclass(frozen=True, kw_only=True)
class LoglikelihoodRolling(Request):
    """How likely is the whole of `text`, each token predicted once?

    A text longer than the window is cut into windows. With `stride` None they don't overlap but for the last,
    which reaches back to be full, as in lm-evaluation-harness. With a `stride` each window after the first predicts
    `stride` tokens and sees up to `max_length - stride` tokens before them. `max_length` None is the model's own.
    """

    kind: ClassVar[str] = "loglikelihood_rolling"
    lack: ClassVar[str] = "doesn't predict a text from left to right"
    text: str
    max_length: int | None = None
    stride: int | None = None


@dataclass(frozen=True, kw_only=True)
class TokenLoglikelihoods(Request):
    """How likely is each of the first `max_tokens` tokens of `text`, given those before it, and how usual is that?

    Read in one window from the model's beginning-of-text token on; what doesn't fit the model's own window is left out.
    For each token the answer holds its natural-log probability, the same standardised by the mean and the deviation of
    the log-probabilities of all words at that place (both weighted by probability; Zhang et al., 2025), and whether it
    is the likeliest, so that greedy decoding of the text before it gives it.
    """

    kind: ClassVar[str] = "token_loglikelihoods"
    lack: ClassVar[str] = "doesn't give the likelihood of each token of a text"
    text: str
    max_tokens: int = 512


@dataclass(frozen=True, kw_only=True)
class GenerateUntil(Request):
    """What does the model write after `context`?

    Stops at the end-of-text token, at any string of `until` (which is cut off), or after `max_tokens` tokens.
    `temperature` 0 is greedy; above it, tokens are drawn from the `top_p` nucleus of the `top_k` likeliest (None: of
    all) by a generator that is seeded with `seed` and this request alone, so neither batch nor order changes the draw.
    With `num_beams` above 1 so many continuations are followed at once and the likeliest is given; a model that can't
    do so answers that it is invalid. `noise` lies on the context, and `chat` around it; `tools` may stand in its place.
    """

    kind: ClassVar[str] = "generate_until"
    lack: ClassVar[str] = "doesn't write"
    context: str
    until: tuple[str, ...] = ()
    max_tokens: int = 64
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int | None = None
    seed: int = 0
    num_beams: int = 1
    noise: EmbeddingNoise | None = None
    chat: Conversation | None = None
    tools: Tools | None = None


@dataclass(frozen=True, kw_only=True)
class PseudoLoglikelihood(Request):
    """How likely is each token of `text`, given all the others?

    The answer sums, over the tokens of the text, the natural-log probability of the token where it is masked (Salazar
    et al., 2020), and the later tokens of its word with it (Kauf and Ivanova, 2023), so that a word's end doesn't give
    away its beginning. It is no log-likelihood: compare it only with its like.
    """

    kind: ClassVar[str] = "pseudo_loglikelihood"
    lack: ClassVar[str] = "can't fill in a masked token"
    text: str


@dataclass(frozen=True, kw_only=True)
class Classify(Request):
    """How does the model label `text`, or the pair of `text` and `text_pair`, such as a premise and a hypothesis?

    `noise` lies on `text`.
    """

    kind: ClassVar[str] = "classify"
    lack: ClassVar[str] = "has no head that labels texts"
    text: str
    text_pair: str | None = None
    noise: EmbeddingNoise | None = None


@dataclass(frozen=True, kw_only=True)
class Tag(Request):
    """Which label does the model give each of `words`?"""

    kind: ClassVar[str] = "tag"
    lack: ClassVar[str] = "has no head that labels words"
    words: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Embed(Request):
    """Which point does the model map `text` to?"""

    kind: ClassVar[str] = "embed"
    lack: ClassVar[str] = "gives no embedding of a text"
    text: str


@dataclass(frozen=True, kw_only=True)
class Attribute(Request):
    """What in the text makes the model decide as it does, and does taking it out change the decision?

    The decision is the likeliest of `continuations` after `context`, or, without any, the label that a classifier gives
    the text `context` (with `text_pair`, if there is one). What is explained is `context[start:stop]`, `stop` None
    being its end: exemplars and the words of a template stay as they are. It is cut into words (each Chinese or
    Japanese character one) or the model's tokens; where those are more than `max_units`, into so many runs of them.
    `methods` are names of the group `harness.attributions`; a random attribution comes with them.

    Explained are the log-odds of the decision against all other choices; where units are taken out, they are cut from
    the text, which is read anew.
    """

    kind: ClassVar[str] = "attribute"
    lack: ClassVar[str] = "isn't asked for explanations, which take hundreds of questions for each decision"
    context: str
    continuations: tuple[str, ...] = ()
    text_pair: str | None = None
    start: int = 0
    stop: int | None = None
    unit: Unit = "word"
    max_units: int = 24
    methods: tuple[str, ...]
    settings: AttributionSettings
    chat: Conversation | None = None


@dataclass(frozen=True, kw_only=True)
class MultimodalLoglikelihood(Loglikelihood):
    """As `Loglikelihood`, where the context holds pictures.

    `media` are their names (`harness.core.media.Medium`, which bring the bytes). Each stands where the context has the
    character `harness.core.media.OBJECT`, in this order.
    """

    kind: ClassVar[str] = "multimodal_loglikelihood"
    lack: ClassVar[str] = "reads no texts with pictures in them"
    media: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class MultimodalGenerateUntil(GenerateUntil):
    """As `GenerateUntil`, where the context holds pictures; `media` are as in `MultimodalLoglikelihood`."""

    kind: ClassVar[str] = "multimodal_generate_until"
    lack: ClassVar[str] = "reads no texts with pictures in them"
    media: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class AudioLoglikelihood(MultimodalLoglikelihood):
    """As `MultimodalLoglikelihood`, of sounds."""

    kind: ClassVar[str] = "audio_loglikelihood"
    lack: ClassVar[str] = "reads no texts with sounds in them"


@dataclass(frozen=True, kw_only=True)
class AudioGenerateUntil(MultimodalGenerateUntil):
    """As `MultimodalGenerateUntil`, of sounds."""

    kind: ClassVar[str] = "audio_generate_until"
    lack: ClassVar[str] = "reads no texts with sounds in them"


def with_media(request: GenerateUntil, media: Sequence[str]) -> MultimodalGenerateUntil:
    """What a request for a text asks, of a context that holds these media: pictures, or sounds."""
    values = {one.name: getattr(request, one.name) for one in fields(request)}
    heard = any(media_type_of(name) == AUDIO for name in media)
    return (AudioGenerateUntil if heard else MultimodalGenerateUntil)(**values, media=tuple(media))


@dataclass(frozen=True, kw_only=True)
class AttributePicture(Attribute):
    """Where in a picture does the model see what makes it decide as it does?

    As `Attribute`, of a context with one picture among `media`: the units are the cells of a `grid` of rows and columns
    over it, row by row, and a cell is taken out by filling it with the picture's mean colour. The text stays as it is.
    """

    kind: ClassVar[str] = "attribute_picture"
    lack: ClassVar[str] = "isn't asked which parts of a picture it goes by"
    media: tuple[str, ...]
    grid: tuple[int, int] = (4, 4)


@dataclass(frozen=True, kw_only=True)
class AttributeSound(Attribute):
    """When in a sound does the model hear what makes it decide as it does?

    As `Attribute`, of a context with one sound among `media`: the units are so many `segments` of it, all of nearly
    the same length, and one is taken out by silence in its place. The text stays as it is.
    """

    kind: ClassVar[str] = "attribute_sound"
    lack: ClassVar[str] = "isn't asked which moments of a sound it goes by"
    media: tuple[str, ...]
    segments: int = 12


@dataclass(frozen=True, kw_only=True)
class Transcribe(Request):
    """What is said in a sound, and how likely is it that `reference` is said?

    The answer holds what the model writes with greedy decoding, in at most `max_tokens` tokens, and the natural-log
    probability of each of these; with a `reference`, its `loglikelihood`, too. `language` is a code such as `en`, which
    a model of one language leaves aside.
    """

    kind: ClassVar[str] = "transcribe"
    lack: ClassVar[str] = "doesn't write down what it hears"
    audio: str
    language: str | None = None
    reference: str | None = None
    max_tokens: int = 200


@dataclass(frozen=True, kw_only=True)
class MatchTexts(Request):
    """Which of `texts`, no two of them alike, fits a picture best?

    The answer's `label_scores` are the probability of each text, in their order: they sum to 1 (Radford et al., 2021).
    """

    kind: ClassVar[str] = "match_texts"
    lack: ClassVar[str] = "doesn't compare pictures with texts"
    image: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A model's answer to the request `request_id`.

    `loglikelihood` is in nats, at most 0, for the three likelihood kinds; `is_greedy` for `loglikelihood` alone; `text`
    and `token_ids` for generations, with how the text ended (`stop`; None where a server doesn't tell). Where a model
    thinks before it answers, `text` is the answer alone, `raw_text` all that was written, markers included, and
    `thinking_token_count` how many of the tokens were thoughts (0 also where a server doesn't tell). `label_scores` are
    a classifier's, by the label's name, in the model's order: probabilities that sum to 1, or, where a text may bear
    several labels, each for itself; a regression has one label, and its score is the value predicted.
    `token_loglikelihoods`, `token_z_scores` and `token_is_greedy` have one value for each token of
    `token_loglikelihoods`, and so has `token_ends`, the character of the text that each token ends before (None where
    the tokenizer doesn't tell); a z-score is 0 where all words are equally likely. Beside a reference, so have
    `token_divergences` (in nats, at least 0), `token_reference_loglikelihoods` and `token_agrees`. `tags` are one label
    a word; `vector` an embedding; `attribution` explains a decision. `token_count` counts the tokens predicted or
    generated, `context_token_count` those that were only read. `unread_character_count` says how many characters of the
    prompt didn't fit the model's window: at its beginning, or at the end of a text that is labelled or embedded; 0 also
    where a server doesn't tell. `invalid` gives the reason where the model's numbers can't be used (NaN or infinite),
    or there is no answer behind the model's thoughts; then the other answers are None.
    """

    request_id: str
    loglikelihood: float | None = None
    is_greedy: bool | None = None
    text: str | None = None
    raw_text: str | None = None
    stop: Stop | None = None
    token_ids: tuple[int, ...] | None = None
    label_scores: Mapping[str, float] | None = None
    tags: tuple[str, ...] | None = None
    vector: tuple[float, ...] | None = None
    token_loglikelihoods: tuple[float, ...] | None = None
    token_z_scores: tuple[float, ...] | None = None
    token_is_greedy: tuple[bool, ...] | None = None
    token_divergences: tuple[float, ...] | None = None
    token_reference_loglikelihoods: tuple[float, ...] | None = None
    token_agrees: tuple[bool, ...] | None = None
    token_ends: tuple[int, ...] | None = None
    attribution: Attribution | None = None
    token_count: int = 0
    thinking_token_count: int = 0
    context_token_count: int = 0
    unread_character_count: int = 0
    invalid: str | None = None

    @property
    def is_cut(self) -> bool:
        """Whether what was written ended before the answer did: its tokens were used up, or its thoughts had no end."""
        return self.stop == "length" or (self.raw_text is not None and self.text is None)
