"""Tries a stranger's tokenizer or chat templates; run as a script, in a process that may die of it.

A job comes as JSON on standard input: `memory_bytes`, `cpu_s`, and either `tokenizer`, the path of a tokenizer.json, or
`templates`, a list of texts. The answer on standard output is what is wrong, or null. No answer means that the limits
ended the process. It imports nothing of the harness, so that it starts in a fraction of a second.
"""

import json
import string
import sys
from collections.abc import Callable
from typing import Any

from typing_extensions import override

__all__ = ["try_texts"]

UNITS = (*"aeox019 \n\t_-=.!'\"(<é中\U0001f600", "ab", "a1", "a ", " \n", "aA1_ ")
"""Repeated many times, these make patterns that backtrack take longer than any text would."""
TEXTS = (
    "The quick brown fox jumps over the lazy dog; isn't it 1,024 times? <s> [INST] </s>",
    "Größe, naïve façade, Ελληνικά, русский, العربية, हिन्दी, 中文也要能分词。日本語 한국어 👩‍👩‍👧",
    string.printable,
)
CHATS: tuple[list[dict[str, str]], ...] = (
    [{"role": "user", "content": TEXTS[0]}],
    [
        {"role": "system", "content": TEXTS[0]},
        {"role": "user", "content": TEXTS[0]},
        {"role": "assistant", "content": TEXTS[0]},
        {"role": "user", "content": TEXTS[1]},
    ],
)
"""What a template is tried with: a question, and one behind a system prompt and an exemplar."""
LETTERS = 50
MANY_LETTERS = 3000
TOKENS_PER_CHARACTER = 100
RENDERED_CHARACTERS = 1 << 20


def main() -> None:
    """Do the job under its limits and print what is wrong."""
    job = json.load(sys.stdin)
    _limit(job["memory_bytes"], job["cpu_s"])
    told: str | None
    try:
        told = _try_tokenizer(job["tokenizer"]) if "tokenizer" in job else _try_templates(job["templates"])
    except MemoryError:
        told = f"takes more than {job['memory_bytes'] / 1e9:.0f} GB of memory"
    except BaseException as error:  # a panic in the tokenizers library is no Exception
        told = f"is none that can be used ({type(error).__name__}: {_first_line(error)})"
    json.dump(told, sys.stdout)


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), "no reason given")[:200]


def _limit(memory_bytes: int, cpu_s: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limits; there, the caller's clock alone ends a trial
        return
    for kind, limit, most in (
        (resource.RLIMIT_AS, memory_bytes, memory_bytes),
        (resource.RLIMIT_CPU, cpu_s, cpu_s + 1),  # SIGXCPU comes at the lower one, so that SIGKILL means something else
        (resource.RLIMIT_CORE, 0, 0),
    ):
        try:
            resource.setrlimit(kind, (limit, most))
        except (ValueError, OSError):  # not every system has each of them
            continue


def _try_tokenizer(path: str) -> str | None:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(path)
    return try_texts(lambda text: tokenizer.encode(text).ids, tokenizer.decode)


def try_texts(
    encode: Callable[[str], list[int]], decode: Callable[[list[int]], object], letters: int = MANY_LETTERS
) -> str | None:
    """What is wrong with a tokenizer by what it makes of texts of many kinds, some of them of so many `letters`."""
    repeated = [unit * (count // len(unit)) + end for unit in UNITS for count in (LETTERS, letters) for end in "!x"]
    for text in (*TEXTS, *repeated):
        ids = encode(text)
        if len(ids) > TOKENS_PER_CHARACTER * len(text):
            return (
                f"makes {len(ids):,} tokens of {len(text):,} characters; the limit is {TOKENS_PER_CHARACTER} for each"
            )
        decode(ids)
    return None


def _try_templates(templates: list[str]) -> str | None:
    from jinja2.exceptions import SecurityError, TemplateSyntaxError

    compiled = _compiler()
    for template, messages in ((template, messages) for template in templates for messages in CHATS):
        try:
            text = compiled(template).render(
                messages=messages,
                add_generation_prompt=True,
                tools=None,
                documents=None,
                bos_token="<s>",
                eos_token="</s>",
                unk_token="<unk>",
                pad_token="<pad>",
            )
        except SecurityError as error:
            return f"reaches for Python's internals, which is unsafe ({_first_line(error)})"
        except TemplateSyntaxError as error:
            return f"has a syntax error in line {error.lineno} ({_first_line(error).rstrip('.')})"
        except MemoryError:
            raise
        except Exception:  # a template may refuse this conversation, and no other
            continue
        if len(text) > RENDERED_CHARACTERS:
            return f"makes {len(text):,} characters of one short message; the limit is {RENDERED_CHARACTERS:,}"
    return None


def _compiler() -> Callable[[str], Any]:
    """Compiles templates as transformers does: sandboxed, with its tag and its functions."""
    from datetime import datetime

    from jinja2 import TemplateError
    from jinja2.ext import Extension, loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Generation(Extension):
        """`{% generation %}` marks what the assistant writes; here its content is taken as it stands."""

        tags = {"generation"}  # noqa: RUF012 - jinja2 wants it so

        @override
        def parse(self, parser: Any) -> Any:
            next(parser.stream)
            return parser.parse_statements(("name:endgeneration",), drop_needle=True)

    def refused(message: str) -> None:
        raise TemplateError(message)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols]
    )
    environment.filters["tojson"] = lambda value, **_: json.dumps(value, ensure_ascii=False)
    environment.globals.update(raise_exception=refused, strftime_now=lambda form: datetime.now().strftime(form))
    return environment.from_string


if __name__ == "__main__":
    main()
