"""A served model against the same checkpoint asked here, and against servers that behave badly."""

import time
from dataclasses import replace

import pytest

from harness.checkpoints import resolve
from harness.checkpoints.loading.loader import load_model
from harness.checkpoints.served.client import Patience
from harness.core.checkpoints import EndpointOptions
from harness.core.errors import HarnessError, InputError, ModelError, UnavailableError, UnknownName
from harness.core.models import ModelOptions
from harness.core.requests import Classify, GenerateUntil, Loglikelihood, LoglikelihoodRolling
from harness.engine.kinds.causal import CausalModel
from harness.engine.kinds.remote import RemoteModel
from harness.engine.opening import open_model
from tests.engine.reference import answers
from tests.served import Served, serving

PAIRS = [
    Loglikelihood(context="Question: Where does the fox jump? Answer:", continuation=" over the lazy dog"),
    Loglikelihood(context="The committee met ", continuation="on Tuesday"),
    Loglikelihood(context="She said", continuation=" that he would never go home again"),
    Loglikelihood(context="公平 and 模型应当", continuation="公平、稳健、可解释。"),
    Loglikelihood(context="👩‍👩‍👧 e\u0301", continuation=" ﬃ \u202eabc"),
    Loglikelihood(context="nothing follows", continuation=""),
]
TEXTS = [
    LoglikelihoodRolling(text="a whole text about energy and schools"),
    LoglikelihoodRolling(text="中文也要能分词"),
]
PROMPTS = [GenerateUntil(context="Once upon", max_tokens=5), GenerateUntil(context="She", max_tokens=3, until=("e",))]
HASTY = Patience(pause_s=0.001)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@pytest.fixture(scope="module")
def local(tiny_llama):
    return CausalModel(load_model(resolve(str(tiny_llama)), dtype="float32", device="cpu"), batch_tokens=256)


def remote(served, **options):
    ref = f"openai:{served.url}#{served.name}"
    return RemoteModel(resolve(ref, endpoint=EndpointOptions(**options)), HASTY)


def test_log_likelihoods_are_those_of_the_same_checkpoint_asked_here(tiny_llama, local):
    with serving(Served(folder=tiny_llama)) as served:
        found = answers(remote(served), PAIRS)
    expected = answers(local, PAIRS)
    for pair in PAIRS:
        assert found[pair.id].loglikelihood == pytest.approx(expected[pair.id].loglikelihood, abs=1e-4), pair
        assert found[pair.id].is_greedy == expected[pair.id].is_greedy
        assert found[pair.id].token_count == expected[pair.id].token_count


def test_a_greedy_continuation_is_said_to_be_greedy(tiny_llama, local):
    prompts = [GenerateUntil(context=f"The committee met {n}", max_tokens=1) for n in range(30)]
    written = answers(local, prompts)
    pairs = [Loglikelihood(context=prompt.context, continuation=written[prompt.id].text) for prompt in prompts]
    expected = answers(local, pairs)
    assert any(response.is_greedy for response in expected.values())
    with serving(Served(folder=tiny_llama)) as served:
        found = answers(remote(served), pairs)
    assert {key: one.is_greedy for key, one in found.items()} == {key: one.is_greedy for key, one in expected.items()}


def test_whole_texts_agree_where_the_server_puts_a_beginning_of_text_token(tiny_llama, local):
    with serving(Served(folder=tiny_llama, puts_bos=True)) as served:
        found = answers(remote(served), TEXTS)
    expected = answers(local, TEXTS)
    for text in TEXTS:
        assert found[text.id].loglikelihood == pytest.approx(expected[text.id].loglikelihood, abs=1e-4)


def test_a_whole_text_whose_first_token_has_no_probability_is_no_number(tiny_llama):
    with serving(Served(folder=tiny_llama)) as served:
        response = answers(remote(served), TEXTS)[TEXTS[0].id]
    assert response.loglikelihood is None
    assert "first token" in response.invalid


def test_what_is_written_is_what_the_checkpoint_writes_here(tiny_llama, local):
    with serving(Served(folder=tiny_llama)) as served:
        found = answers(remote(served), PROMPTS)
    expected = answers(local, PROMPTS)
    assert {key: one.text for key, one in found.items()} == {key: one.text for key, one in expected.items()}


def test_a_server_without_log_probabilities_is_a_chat_and_gets_the_prompt_as_the_users_turn(tiny_llama):
    with serving(Served(folder=tiny_llama, gives_logprobs=False)) as served:
        model = remote(served)
        assert model.kind.name == "chat"
        assert answers(model, PROMPTS[:1])[PROMPTS[0].id].text == "You said: Once upon"
        assert served.bodies[-1]["messages"] == [{"role": "user", "content": "Once upon"}]
        with pytest.raises(ModelError, match="no likelihood"):
            model.plan(PAIRS)


def test_a_server_without_a_chat_is_asked_for_completions(tiny_llama, local):
    def no_chat(path, call):
        return (404, {"detail": "Not Found"}, {}) if path.endswith("chat/completions") else None

    with serving(Served(folder=tiny_llama, gives_logprobs=False, before=no_chat)) as served:
        found = answers(remote(served), PROMPTS[:1])
    assert found[PROMPTS[0].id].text == answers(local, PROMPTS[:1])[PROMPTS[0].id].text


def test_half_a_surrogate_pair_which_no_record_can_hold_is_the_sign_for_what_is_lost(tiny_llama):
    def halved(path, call):
        said = {"choices": [{"message": {"content": "half \ud83d, whole \U0001f600"}, "finish_reason": "stop"}]}
        return (200, said, {}) if path.endswith("chat/completions") else None

    with serving(Served(folder=tiny_llama, gives_logprobs=False, before=halved)) as served:
        found = answers(remote(served), PROMPTS[:1])
    assert found[PROMPTS[0].id].text == "half \ufffd, whole \U0001f600"


def test_several_requests_are_under_way_at_once(tiny_llama):
    active, most = [], []

    def slow(path, call):
        if path.endswith("completions"):
            active.append(call)
            most.append(len(active))
            time.sleep(0.1)
            active.pop()

    with serving(Served(folder=tiny_llama, before=slow)) as served:
        model = remote(served, concurrency=3)
        most.clear()
        answers(model, [GenerateUntil(context=str(n), max_tokens=1) for n in range(6)])
    assert max(most) == 3


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_that_stumbles_is_asked_again(tiny_llama, local, status):
    failed = set()

    def stumble(path, call):
        if call > 3 and len(failed) < 4:
            failed.add(call)
            return status, {"error": {"message": "slow down"}}, {"Retry-After": "0.01"}
        return None

    with serving(Served(folder=tiny_llama, before=stumble)) as served:
        found = answers(remote(served), PAIRS[:3])
    assert len(failed) == 4
    assert all(response.loglikelihood is not None for response in found.values())


def test_the_time_that_a_server_asks_to_wait_is_waited(tiny_llama):
    calls = []

    def busy_once(path, call):
        if path.endswith("/completions") and call > 2:
            calls.append(time.monotonic())
            if len(calls) == 1:
                return 429, "", {"Retry-After": "0.3"}
        return None

    with serving(Served(folder=tiny_llama, before=busy_once)) as served:
        answers(remote(served), PROMPTS[:1])
    assert calls[1] - calls[0] >= 0.3


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        ((429, {"error": {"message": "quota"}}, {"Retry-After": "0"}), UnavailableError, "HTTP 429 .quota."),
        ((429, "", {"Retry-After": "86400"}), UnavailableError, "asks to wait for 86,400 s"),
        ((500, "<html>oops</html>", {}), UnavailableError, "HTTP 500"),
        ((401, {"error": {"message": "bad key"}}, {}), InputError, "without a key"),
        ((404, {"error": {"message": "gone"}}, {}), ModelError, "HTTP 404 .gone."),
        ((200, "<html>hello</html>", {"Content-Type": "text/html"}), ModelError, "not JSON .text/html"),
        ((200, '{"choices": [', {}), ModelError, "not JSON"),
        ((200, {"choices": []}, {}), ModelError, "not a completion"),
        ((200, "[" * 100_000, {}), ModelError, "not JSON"),
        ((301, "", {"Location": "http://example.org"}), ModelError, "HTTP 301"),
    ],
)
def test_a_server_that_fails_for_good_ends_the_run_with_one_clear_line(tiny_llama, answer, error, words):
    with serving(Served(folder=tiny_llama)) as served:
        model = remote(served)
        served.before = lambda *_: answer
        with pytest.raises(error, match=words) as raised:
            answers(model, PROMPTS[:1])
    assert "\n" not in str(raised.value)


def test_a_server_that_hangs_is_given_up(tiny_llama):
    with serving(Served(folder=tiny_llama)) as served:
        model = RemoteModel(
            resolve(f"openai:{served.url}", endpoint=EndpointOptions(timeout_s=0.2)), replace(HASTY, timeouts=2)
        )
        served.before = lambda *_: time.sleep(1)
        with pytest.raises(UnavailableError, match=r"no answer in 0\.2 s"):
            answers(model, PROMPTS[:1])


def test_a_server_that_goes_away_is_given_up(tiny_llama):
    with serving(Served(folder=tiny_llama)) as served:
        model = remote(served)
    with pytest.raises(UnavailableError, match="can't be reached"):
        answers(model, PROMPTS[:1])


def test_a_prompt_that_the_server_refuses_costs_that_answer_alone(tiny_llama):
    with serving(Served(folder=tiny_llama)) as served:
        model = remote(served, concurrency=1)
        refused = []

        def too_long(path, call):
            if not refused:
                refused.append(call)
                return 400, {"error": {"message": "maximum context length is 256 tokens"}}, {}
            return None

        served.before = too_long
        found = answers(model, PROMPTS)
    invalid = [response for response in found.values() if response.invalid]
    assert [response.invalid for response in invalid] == [
        "the server answers HTTP 400 (maximum context length is 256 tokens)"
    ]


@pytest.mark.parametrize("key", ["sk-very-secret-0123456789", None])
def test_the_key_is_sent_and_never_seen_again(tiny_llama, monkeypatch, key):
    if key:
        monkeypatch.setenv("MY_KEY", key)
    with serving(Served(folder=tiny_llama)) as served:
        model = remote(served, api_key_env="MY_KEY")
        assert set(served.keys) == {f"Bearer {key}" if key else None}
        served.before = lambda *_: (200, {"choices": [{"text": f"it is {key}"}]}, {})
        assert str(key)[:8] not in answers(model, PROMPTS[:1])[PROMPTS[0].id].text or key is None
        for status in (401, 404, 429):
            served.before = lambda *_, status=status: (
                status, {"error": {"message": f"Incorrect key {key}"}}, {"Retry-After": "0"}
            )  # fmt: skip
            with pytest.raises(HarnessError) as raised:
                answers(model, PROMPTS[:1])
            assert key is None or key not in str(raised.value)


def test_a_key_that_no_header_can_hold_is_refused_without_being_shown(tiny_llama, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "schlüssel\nzwei")
    with serving(Served(folder=tiny_llama)) as served, pytest.raises(InputError, match="OPENAI_API_KEY") as raised:
        remote(served)
    assert "schl" not in str(raised.value)


@pytest.mark.parametrize(
    ("ref", "words"),
    [
        ("openai:http://user:hunter2@localhost/v1#m", "name or password"),
        ("openai:http://localhost/v1?key=hunter2#m", "a query"),
        ("openai:ftp://localhost/v1#m", "not an http"),
        ("openai:", "not an http"),
        ("openai:http://[hunter2/v1", "not an address"),
        ("openai:http://localhost:hunter2/v1", "not an address"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_without_showing_a_secret_in_it(ref, words):
    with pytest.raises(InputError, match=words) as raised:
        resolve(ref)
    assert "hunter2" not in str(raised.value)


def test_a_model_that_is_not_served_is_named_with_the_nearest_that_is(tiny_llama):
    with serving(Served(folder=tiny_llama, name="tiny-llama")) as served:
        with pytest.raises(UnknownName, match="did you mean tiny-llama"):
            resolve(f"openai:{served.url}#tinyllama")
        assert resolve(f"openai:{served.url}").config["model"] == "tiny-llama"


def test_the_fingerprint_is_of_address_model_and_what_the_server_says_of_it_that_lasts(tiny_llama):
    with serving(Served(folder=tiny_llama)) as served:
        first, again = (resolve(f"openai:{served.url}#tiny") for _ in range(2))
        assert first.fingerprint == again.fingerprint
        assert any("pinned" in note for note in first.notes)
        served.name = "other"
        assert resolve(f"openai:{served.url}#other").fingerprint != first.fingerprint
    assert (first.parameter_count, first.size_bytes, first.max_length) == (None, None, None)


def test_a_server_whose_probabilities_are_above_1_is_a_chat_and_a_note_says_why(tiny_llama):
    def boasts(path, _call):
        if path.endswith("/chat/completions") or not path.endswith("/completions"):
            return None
        said = served.complete(served.bodies[-1])
        said["choices"][0]["logprobs"]["token_logprobs"][1] = 0.25
        return 200, said, {}

    with serving(Served(folder=tiny_llama)) as served:
        served.before = boasts
        checkpoint = resolve(f"openai:{served.url}")
    assert checkpoint.kind == "chat"
    assert any("log-probability of 0.25" in note for note in checkpoint.notes)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("token_logprobs", lambda found: [None, *(-one for one in found[1:])], "which is above 0"),
        ("token_logprobs", lambda found: [None, *(True for _ in found[1:])], "unknown form"),
        ("token_logprobs", lambda found: found[:-1], "gives no log-probabilities"),
        ("tokens", lambda found: list(reversed(found)), "don't add up to the prompt"),
        ("tokens", lambda found: ["You", " are", *found], "gives no log-probabilities"),
        ("text_offset", lambda found: list(reversed(found)), "overlap, or are not in the order"),
    ],
)
def test_log_probabilities_that_are_not_those_of_the_text_asked_are_invalid_and_never_a_number(
    tiny_llama, field, value, words
):
    with serving(Served(folder=tiny_llama)) as served:
        model = remote(served)

        def lies(_path, _call):
            said = served.complete(served.bodies[-1])
            logprobs = said["choices"][0]["logprobs"]
            logprobs[field] = value(logprobs[field])
            return 200, said, {}

        served.before = lies
        response = answers(model, PAIRS[:1])[PAIRS[0].id]
    assert words in response.invalid
    assert (response.loglikelihood, response.is_greedy) == (None, None)


@pytest.mark.parametrize(
    "said",
    [
        {"max_model_len": float("nan")},
        {"max_model_len": 10**400, "meta": {"n": -(10**18)}},
        {"meta": {"x": "y" * 2_000_000}},
        {"owned_by": "\ud800", "root": "\udc00\ud83d\ude00"},
        {"meta": "[" * 3},
    ],
)
def test_what_a_server_says_of_its_model_is_kept_only_as_far_as_a_record_can_hold_it(tiny_llama, tmp_path, said):
    with serving(Served(folder=tiny_llama)) as served:
        served.before = lambda path, _: (
            (200, {"data": [{"id": "tiny", **said}]}, {}) if path.endswith("/models") else None
        )
        checkpoint = resolve(f"openai:{served.url}#tiny")
    assert checkpoint.max_length is None
    assert sum(path.stat().st_size for path in (tmp_path / "cache").rglob("*") if path.is_file()) < 100_000


def test_another_machine_is_not_asked_offline():
    with pytest.raises(UnavailableError, match="offline"):
        resolve("openai:http://192.0.2.1/v1#m", offline=True)


def test_a_request_that_no_server_answers_is_refused_before_anything_is_sent(tiny_llama):
    with serving(Served(folder=tiny_llama)) as served:
        model = remote(served)
        sent = len(served.paths)
        with pytest.raises(ModelError, match="labels texts"):
            model.plan([Classify(text="x")])
        assert len(served.paths) == sent


def test_a_chat_template_cannot_be_put_around_served_probabilities(tiny_llama):
    with serving(Served(folder=tiny_llama)) as served, pytest.raises(InputError, match="--apply-chat-template"):
        open_model(resolve(f"openai:{served.url}"), ModelOptions(apply_chat_template=True))
