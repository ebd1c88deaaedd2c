"""The benchmark's cases are what they say, and both sides answer them alike. (How fast they are is no test.)"""

import re

import pytest

from benchmarks import pictures
from benchmarks.alone import pack, unpack
from benchmarks.case import Builder
from benchmarks.cases import BUILDERS
from benchmarks.floor import floor_flops, watching
from benchmarks.measure import compare
from benchmarks.page import put
from benchmarks.report import Report, markdown
from harness.checkpoints import resolve
from harness.checkpoints.loading.loader import load_model
from tests.vision.digits import held_out_digits

PLACES = ("river bank", "school yard", "market hall", "fire station", "city garden")


def question(index: int, count: int) -> dict[str, str]:
    options = [f"{chr(ord('A') + i)}. {place} {index}" for i, place in enumerate(PLACES[:count])]
    return {
        "question": f"Where is number {index} found?",
        "options": "\n".join(options),
        "answer": options[index % count],
    }


def article(index: int) -> dict[str, str]:
    sentence = f"In year {index} he said that his brother had gone to the market with his friends before he came home. "
    return {"id": str(index), "document": sentence * 10, "summary": f"Summary {index}."}


ROWS = {
    "commonsense_qa": [question(index, 5) for index in range(1300)],
    "piqa": [question(index, 2) for index in range(300)],
    "openbookqa": [question(index, 4) for index in range(300)],
    "mmlu": [question(index, 4) for index in range(300)],
    "xsum": [article(index) for index in range(300)],
}


def case(name: str, count: int = 2):
    builder = BUILDERS[name]
    return builder.build(count, [ROWS[data] for data in builder.data])


REQUESTS_AN_ITEM = {
    "commonsense_qa": 5,
    "commonsense_qa_fixed": 5,
    "piqa": 2,
    "openbookqa": 4,
    "mmlu": 4,
    "long_contexts": 5,
    "robustness_family": 30,
    "counterfactual_pairs": 2,
    "rolling_perplexity": 1,
    "generation": 1,
    "repeated_draws": 8,
    "needles": 10,
}


@pytest.mark.parametrize("name", BUILDERS)
def test_a_case_asks_so_many_distinct_requests_an_item(name):
    built = case(name)
    assert len(built.requests) == len({request.id for request in built.requests}) == 2 * REQUESTS_AN_ITEM[name]


def prompts(name: str) -> list[str]:
    """The distinct contexts of a case."""
    return list(dict.fromkeys(request.context for request in case(name).requests))


def test_fixed_exemplars_are_shared_and_drawn_ones_are_not():
    fixed, drawn = prompts("commonsense_qa_fixed"), prompts("commonsense_qa")
    assert all(prompt.count("Question:") == 6 for prompt in [*fixed, *drawn])
    assert len({prompt.rpartition("\n\n")[0] for prompt in fixed}) == 1
    assert len({prompt.partition("\n\n")[0] for prompt in drawn}) == 2


def test_a_long_context_has_four_passages_that_no_other_question_begins_with():
    first, second = prompts("long_contexts")
    assert first.count("Passage:") == second.count("Passage:") == 4
    assert first.partition("\n\n")[0] != second.partition("\n\n")[0]
    assert 350 <= len(first.split()) <= 600


def test_a_family_varies_its_question_and_nothing_else():
    found = prompts("robustness_family")
    families = {}
    for prompt in found:
        exemplars, _, asked = prompt.rpartition("\n\n")
        families.setdefault(exemplars, []).append(asked)
    (asked,) = families.values()
    assert len(asked) == 12
    assert all(re.fullmatch(r"Question: .+\nAnswer:", one) for one in asked)


def test_a_pair_differs_in_its_pronouns_alone():
    original, swapped = (request.continuation for request in case("counterfactual_pairs", 1).requests)
    changed = [(one, other) for one, other in zip(original.split(), swapped.split(), strict=True) if one != other]
    assert changed == [("he", "she"), ("his", "her"), ("his", "her"), ("he", "she")]


@pytest.mark.parametrize("name", ["robustness_family", "rolling_perplexity", "generation"])
def test_requests_survive_the_way_into_another_process(name):
    requests = list(case(name, 1).requests)
    assert unpack(pack(requests)) == requests


@pytest.fixture(scope="module")
def loaded(tiny_llama):
    return load_model(resolve(str(tiny_llama)), dtype="float32", device="cpu")


def test_both_sides_answer_a_case_alike(loaded):
    builder = Builder(name="tiny", title="Tiny", data=("piqa",), build=BUILDERS["mmlu"].build, small=2, full=2)
    built = BUILDERS["mmlu"].build(1, [[{**row, "question": "Where?"} for row in ROWS["mmlu"]][:6]])
    result = compare(builder, built, loaded, rounds=1)
    assert result.difference < 1e-3
    assert result.ours_score == result.lm_eval_score
    assert 0 < result.computed < result.asked
    assert result.computed <= result.padded
    page = markdown(
        Report(
            model="tiny", scale="small", rounds=1, clock="wall", results=[result], memory=None, cold=None, overhead=None
        )
    )
    assert "| Tiny | 4 requests |" in page


def test_the_floor_counts_the_body_for_each_token_and_the_head_where_it_is_needed(loaded):
    """By hand, for two layers of 32 with 4 heads of 8, 2 of them for keys and values, and 64 inside."""
    layer = 32 * 32 + 2 * 16 * 32 + 32 * 32 + 3 * 32 * 64 + 2 * 32
    assert floor_flops(loaded.model, tokens=3, head_positions=0) == 3 * 2 * (2 * layer + 32)
    assert floor_flops(loaded.model, tokens=0, head_positions=5) == 5 * 2 * 32 * loaded.model.config.vocab_size


def test_watching_counts_what_the_model_reads(loaded):
    ticks = iter(range(100))
    with watching(loaded.model, lambda: float(next(ticks))) as watch:
        loaded.model(input_ids=loaded.model.dummy_inputs["input_ids"])
    shape = loaded.model.dummy_inputs["input_ids"].numel()
    assert (watch.forward_s, watch.padded_tokens, watch.head_positions) == (1.0, shape, shape)
    loaded.model(input_ids=loaded.model.dummy_inputs["input_ids"])
    assert watch.padded_tokens == shape


def test_a_measurement_replaces_its_own_part_of_a_page_and_nothing_else(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# Title\n\nBy hand.\n")
    put(page, "speed", "old\n")
    put(page, "memory", "much")
    page.write_text(page.read_text() + "\n## More\n\nAlso by hand.\n")
    put(page, "speed", "new")
    assert [line for line in page.read_text().splitlines() if line] == [
        "# Title",
        "By hand.",
        "<!-- measured: speed -->",
        "new",
        "<!-- measured end: speed -->",
        "<!-- measured: memory -->",
        "much",
        "<!-- measured end: memory -->",
        "## More",
        "Also by hand.",
    ]
    page.write_text(page.read_text().replace("<!-- measured end: memory -->", ""))
    with pytest.raises(ValueError, match="memory"):
        put(page, "memory", "little")


def test_pictures_are_encoded_a_tenth_as_often_for_the_same_likelihoods(trained_llava_folder):
    compared = pictures.compare_choices(trained_llava_folder, held_out_digits(3))
    assert (compared.requests, compared.ours_encodings) == (30, 3)
    assert float(compared.agreement.split()[1]) <= 1e-4
