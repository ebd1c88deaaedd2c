"""Keys that come back are hidden: each writing is made by the library that is known for it, not by ours."""

import base64
import binascii
import html
import json
import quopri
import subprocess
import sys
import unicodedata
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.process.secrets import HIDDEN, WITHHELD, hidden, keep_secret, keep_secrets_of_url

KEY = "sk-a/very+Secret-key_0123456789&x"


def percent(text: str) -> str:
    return "".join(f"%{ord(character):02x}" for character in text)


WRITINGS = {
    "as it is": KEY,
    "upper case": KEY.upper(),
    "a program's bytes": repr(KEY.encode()),
    "JSON, every letter": "".join(f"\\u{ord(character):04x}" for character in KEY),
    "JSON in JSON": json.dumps(json.dumps("".join(f"\\u{ord(character):04X}" for character in KEY))),
    "JSON, slashes": KEY.replace("/", "\\/"),
    "octal": "".join(f"\\{ord(character):03o}" for character in KEY),
    "braces": "".join(f"\\u{{{ord(character):x}}}" for character in KEY),
    "percent": percent(KEY),
    "percent, twice": quote(percent(KEY)),
    "an address": quote(KEY, safe=""),
    "HTML": html.escape(KEY),
    "HTML, decimal": "".join(f"&#{ord(character)};" for character in KEY),
    "HTML, hexadecimal": "".join(f"&#x{ord(character):X};" for character in KEY),
    "HTML, then percent": "".join(f"&#37;{ord(character):02x}" for character in KEY),
    "a mail": quopri.encodestring(KEY.encode()).decode(),
    "a mail's line": f"{KEY[:9]}=\n{KEY[9:]}",
    "base64": base64.b64encode(KEY.encode()).decode(),
    "base64, header": base64.b64encode(f"Bearer {KEY}".encode()).decode(),
    "base64, shifted": base64.b64encode(f"xy{KEY}z".encode()).decode(),
    "base64, addresses": base64.urlsafe_b64encode(KEY.encode()).decode().rstrip("="),
    "base64, lines": base64.encodebytes(KEY.encode() * 3).decode(),
    "base64, wide": base64.b64encode(KEY.encode("utf-16-le")).decode(),
    "base64, twice": base64.b64encode(base64.b64encode(KEY.encode())).decode(),
    "base64, then percent": percent(base64.b64encode(KEY.encode()).decode()),
    "percent, then base64": base64.b64encode(percent(KEY).encode()).decode(),
    "base32": base64.b32encode(f"z{KEY}".encode()).decode().lower(),
    "base85": base64.b85encode(KEY.encode()).decode(),
    "base85, shifted": base64.b85encode(f"key: {KEY}!".encode()).decode(),
    "ascii85": base64.a85encode(KEY.encode(), adobe=True).decode(),
    "uuencode": binascii.b2a_uu(f"my {KEY}".encode()).decode(),
    "tags that nobody sees": "".join(chr(0xE0000 + ord(character)) for character in KEY),
    "hexadecimal": KEY.encode().hex(),
    "hexadecimal, colons": KEY.encode().hex(":").upper(),
    "hexadecimal, 0x": ", ".join(hex(ord(character)) for character in KEY),
    "spaces": " ".join(KEY),
    "nothing seen": "\u200b".join(KEY),
    "zeros": "\0".join(KEY),
    "wide letters": "".join(chr(ord(character) + 0xFEE0) for character in KEY),
    "a list": json.dumps([KEY[start : start + 5] for start in range(0, len(KEY), 5)]),
    "a list of letters": repr(list(KEY)),
    "numbers": str(list(KEY.encode())),
    "hyphens": "-".join(KEY),
    "a table": "|".join(f" {one} " for one in KEY),
    "a bit of each": "".join(("%%%02x", "\\u%04x", "&#%d;")[n % 3] % ord(one) for n, one in enumerate(KEY)),
}


@pytest.fixture(autouse=True)
def kept():
    keep_secret(KEY)


@pytest.mark.parametrize("writing", WRITINGS)
def test_a_key_is_hidden_however_it_is_written(writing):
    text = f"Incorrect key provided: {WRITINGS[writing]} (see the manual)."
    shown = hidden(text)
    assert shown == WITHHELD or (HIDDEN in shown and shown.startswith("Incorrect key"))
    assert KEY[:8].casefold() not in unicodedata.normalize("NFKC", shown).casefold()


@given(st.text(max_size=300))
def test_other_texts_stay_as_they_are(text):
    assert hidden(text) == text


def test_texts_about_encodings_stay_as_they_are():
    for text in ("100% of &amp; is \\u0026 = =26", base64.b64encode(bytes(range(256))).decode(), "sk-a", "[key]"):
        assert hidden(text) == text


def test_what_was_hidden_before_does_not_bring_its_neighbours_together():
    assert hidden(hidden(f"a{KEY}b")) == f"a{HIDDEN}b"


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        ("http://me:s3cr3t-pass@proxy.example:3128", "s3cr3t-pass"),
        ("me:s3cr3t-pass@proxy.example:3128", "s3cr3t-pass"),
        ("http://me:pw@proxy.example:3128", "me:pw@"),
        ("https://hf_abcdefghijklmnopqrst@hub.example/", "hf_abcdefghijklmnopqrst"),
        ("https://hub.example/v1?user=ann&api_key=0123abcdXY", "0123abcdXY"),
        ("postgresql://postgres@db/x?password=tops%20ecret!", "tops ecret!"),
        ("http://me:p%40ss%2Fword@proxy", "p@ss/word"),
    ],
)
def test_what_lets_in_through_a_url_is_a_secret(url, secret):
    keep_secrets_of_url(url)
    assert secret not in hidden(f"407 for {url}, which is {secret}")


def test_a_users_name_alone_is_none():
    keep_secrets_of_url("postgresql://postgres@db.example/harness")
    assert hidden("is neither a SQLite file nor postgres") == "is neither a SQLite file nor postgres"


def test_secrets_of_the_environment_and_of_arguments_are_hidden_in_a_process_of_its_own():
    code = (
        "import sys; from harness.core.process.secrets import hidden; "
        "print(hidden(sys.argv[1]), hidden('p4ssw0rd-of-proxy'))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, "openai:http://ann:hunter2@host/v1"],
        capture_output=True,
        text=True,
        check=True,
        env={"HTTPS_PROXY": "http://bob:p4ssw0rd-of-proxy@proxy:3128", "PYTHONPATH": ":".join(sys.path)},
    )
    assert run.stdout == f"openai:http://{HIDDEN}host/v1 {HIDDEN}\n"
