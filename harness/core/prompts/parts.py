"""Noise on a prompt, the chat around it, and the functions that go with it."""

from dataclasses import dataclass

__all__ = ["Conversation", "EmbeddingNoise", "Tools"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingNoise:
    """Gaussian noise on the input embeddings of those tokens of a text that lie in `spans`.

    `spans` are pairs of start and end, in characters of the text that is only read. `scale` is the standard deviation
    of the noise in each number of an embedding, divided by the root mean square of that embedding's own numbers: at 0
    nothing changes, at 1 there is as much noise as signal. The draw for a token is decided by `seed` and by how many
    tokens with noise stand before it, so texts that go on differently, and other scales, have the same.
    """

    scale: float
    seed: str
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """The chat around a request's context, where it is more than that; it counts with a chat template alone.

    The context is the user's last turn. `before` are the turns that lead to it, as pairs of role and content, and
    `opening` is what the assistant's turn begins with. A context that is read `as_is` is no turn at all.
    """

    before: tuple[tuple[str, str], ...] = ()
    opening: str = ""
    as_is: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """How a request is asked where the chat template has a format of its own for functions that can be called.

    Then the user's turn is `question`, and the template is given `functions`: a JSON list as in OpenAI's API. Elsewhere
    the request's context is read, which has to describe the functions itself.
    """

    question: str
    functions: str
