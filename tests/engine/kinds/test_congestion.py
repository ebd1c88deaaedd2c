"""How many requests a server is sent at once, and what becomes of them where it can't keep up."""

import queue
import threading
import time
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checkpoints import resolve
from harness.checkpoints.served.client import Patience
from harness.checkpoints.served.congestion import CongestionWindow
from harness.core.checkpoints import EndpointOptions
from harness.core.errors import ModelError
from harness.core.models import respond
from harness.core.requests import GenerateUntil, Transcribe
from harness.engine.kinds.remote import RemoteModel
from harness.engine.kinds.resumed import ResumedModel
from harness.engine.kinds.transcriber import Transcriber
from harness.media.sounds import trial_sound
from tests.served import Served, serving

PROMPTS = [GenerateUntil(context=f"Once {n}", max_tokens=1) for n in range(40)]
HASTY = Patience(busy=20, timeouts=10, pause_s=0.001)
PATH = "/v1/chat/completions"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


class Counting:
    """Answers in a server's place, and knows how many it is at once."""

    def __init__(self, answer):
        self._answer = answer
        self._lock = threading.Lock()
        self.active = self.most = self.calls = 0
        self.outcomes = []

    def __call__(self, path, call):
        if path != PATH:
            return None
        with self._lock:
            self.active += 1
            self.calls += 1
            self.most = max(self.most, self.active)
            active, calls = self.active, self.calls
        try:
            found = self._answer(active, calls)
        finally:
            with self._lock:
                self.active -= 1
        self.outcomes.append(found)
        return found


@contextmanager
def asked(answer, **options):
    """A model of a server that answers so, and what it counted; the first few requests find out what it is."""
    with serving(Served(before=lambda path, _: (404, {}, {}) if path == "/v1/completions" else None)) as served:
        model = RemoteModel(resolve(f"openai:{served.url}#tiny", endpoint=EndpointOptions(**options)), HASTY)
        served.before = Counting(answer)
        yield model, served.before


class Crowd:
    """Many who want a place, and hold it until they are told what became of their request."""

    def __init__(self, window, count):
        self.window = window
        self._inside, self._left = queue.Queue(), threading.Semaphore(0)
        for _ in range(count):
            threading.Thread(target=self._ask, daemon=True).start()

    def _ask(self):
        told = queue.Queue()
        with self.window.place() as place:
            self._inside.put(told)
            place.kept_up = told.get()
        self._left.release()

    def all_under_way(self, kept_up):
        """Those who are in leave with that outcome; the limit after it."""
        inside = [self._inside.get(timeout=10) for _ in range(self.window.limit)]
        for told in inside:
            told.put(kept_up)
        for _ in inside:
            assert self._left.acquire(timeout=10)
        return self.window.limit


def test_a_window_doubles_with_each_round_of_answers_until_the_server_is_overloaded_once():
    crowd = Crowd(CongestionWindow(20), 100)
    assert [crowd.all_under_way(True) for _ in range(3)] == [8, 16, 20]
    # Those that are refused were sent together, and count once.
    assert crowd.all_under_way(False) == 10
    assert crowd.all_under_way(None) == 10
    assert [crowd.all_under_way(True) for _ in range(2)] == [10, 11]


@given(st.integers(1, 9), st.lists(st.sampled_from([True, False, None]), max_size=40))
def test_a_window_is_never_below_one_nor_above_the_most(most, outcomes):
    window = CongestionWindow(most)
    for kept_up in outcomes:
        with window.place() as place:
            place.kept_up = kept_up
        assert 1 <= window.limit <= most


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_takes_few_at_once_is_sent_few_and_answers_all(status):
    def full_at_three(active, _calls):
        if active > 3:
            return status, {"error": {"message": "too many at once"}}, {}
        time.sleep(0.005)
        return None

    with asked(full_at_three, concurrency=16) as (model, served):
        found = list(respond(model, PROMPTS))
    assert len(found) == len(PROMPTS)
    assert all(one.text for one in found)
    refused = sum(one is not None for one in served.outcomes)
    assert 0 < refused < len(PROMPTS)


def test_a_server_that_keeps_up_is_sent_as_many_as_may_be_and_no_more():
    reached = threading.Event()

    def crowded(active, _calls):
        if active >= 9:
            reached.set()
        reached.wait(0.2)

    with asked(crowded, concurrency=9) as (model, served):
        assert len(list(respond(model, PROMPTS))) == len(PROMPTS)
    assert served.most == 9


def test_connections_that_are_cut_are_made_again():
    def cuts_every_third(_active, calls):
        if calls % 3 == 0:
            return 200, '{"choices": [', {"Content-Length": "5000", "Connection": "close"}
        return None

    with asked(cuts_every_third, concurrency=4) as (model, _):
        found = list(respond(model, PROMPTS))
    assert all(one.text for one in found)


def test_a_server_that_is_too_slow_for_many_at_once_is_asked_less():
    def hangs_when_crowded(active, _calls):
        time.sleep(0.6 if active > 2 else 0.005)

    with asked(hangs_when_crowded, concurrency=8, timeout_s=0.3) as (model, _):
        found = list(respond(model, PROMPTS[:12]))
        assert model.concurrency_now < 8
    assert all(one.text for one in found)


def test_answers_that_were_under_way_when_the_run_had_to_end_are_kept():
    both = threading.Event()

    def one_is_gone(_active, calls):
        if calls == 3:
            both.wait(10)
            return 404, {"error": {"message": "gone"}}, {}
        if calls > 3:
            both.set()
            time.sleep(0.2)
        return None

    class Journal:
        def __init__(self):
            self.responses = {}

        def append(self, responses):
            self.responses |= {one.request_id: one for one in responses}

    journal = Journal()
    with asked(one_is_gone, concurrency=4) as (model, served):
        with pytest.raises(ModelError, match=r"HTTP 404 .gone."):
            list(respond(ResumedModel(model, journal), PROMPTS))
        answered = sum(one is None for one in served.outcomes)
        assert served.active == 0
    assert len(journal.responses) == answered >= 4
    assert answered < len(PROMPTS)


def test_what_is_asked_of_a_chat_in_words_is_under_way_at_once_too():
    gate = threading.Barrier(2)

    def together(_active, calls):
        gate.wait(10) if calls < 3 else None

    sounds = [Transcribe(audio=trial_sound(), language="en", max_tokens=n) for n in (2, 3)]
    with asked(together, concurrency=2) as (model, _):
        found = list(respond(Transcriber(model, predicts=False), PROMPTS[:2]))
        heard = list(respond(Transcriber(model, predicts=False), sounds))
    assert {one.request_id for one in found} == {one.id for one in PROMPTS[:2]}
    assert {one.request_id for one in heard} == {one.id for one in sounds}
