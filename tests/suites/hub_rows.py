"""Folders laid out as repositories of data on a hub are, with a few rows that we made up, for lm-eval's own tasks."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

Rows = Sequence[Mapping[str, Any]]

_PUZZLES = [
    *("boolean_expressions", "causal_judgement", "date_understanding", "disambiguation_qa", "formal_fallacies"),
    *("geometric_shapes", "hyperbaton", "logical_deduction_five_objects", "logical_deduction_seven_objects"),
    *("logical_deduction_three_objects", "movie_recommendation", "navigate", "object_counting"),
    *("penguins_in_a_table", "reasoning_about_colored_objects", "ruin_names", "salient_translation_error_detection"),
    *("snarks", "sports_understanding", "temporal_sequences", "tracking_shuffled_objects_five_objects"),
    *("tracking_shuffled_objects_seven_objects", "tracking_shuffled_objects_three_objects", "web_of_lies"),
]
_NAMED = {
    "boolean_expressions": ["True", "False"],
    **{name: ["Yes", "No"] for name in ("causal_judgement", "navigate", "web_of_lies")},
    "sports_understanding": ["yes", "no"],
    "formal_fallacies": ["valid", "invalid"],
    "object_counting": ["3", "7"],
}


def _endings(cups: int) -> dict[str, Any]:
    return {
        "activity_label": "Baking",
        "ctx_a": f"A cook weighs {cups} cups of flour.",
        "ctx_b": "then he",
        "endings": ["adds water. [step] He stirs.", "paints the door.", "sings to a boat.", "reads a map."],
        "label": str(cups % 4),
    }


def _science(degrees: int) -> dict[str, Any]:
    choices = {"text": ["ice", "steam", "sand", "glass"], "label": ["A", "B", "C", "D"]}
    return {
        "question": f"What does water become when it is {degrees} degrees?",
        "choices": choices,
        "answerKey": "ABCD"[degrees % 4],
    }


def _pronoun(number: int) -> dict[str, Any]:
    sentence = f"The cup of set {number} didn't fit into the box because the _ was too large."
    return {"sentence": sentence, "option1": "cup", "option2": "box", "answer": "12"[number % 2]}


def _myth(question: str) -> dict[str, Any]:
    one = {"choices": ["Nothing happens.", "You grow a tail.", "You turn blue."], "labels": [1, 0, 0]}
    several = {"choices": ["Nothing.", "It is harmless.", "You turn blue."], "labels": [1, 1, 0]}
    return {"question": question, "mc1_targets": one, "mc2_targets": several}


def _sum(left: int, right: int) -> dict[str, Any]:
    total = left + right
    answer = f"There are {left} and {right}, so <<{left}+{right}={total}>>{total}.\n#### {total}"
    return {"question": f"Ann has {left} pears and buys {right}. How many has she?", "answer": answer}


def _problem(level: int) -> dict[str, Any]:
    solution = f"We add them: $2+{level}=\\boxed{{{2 + level}}}$."
    return {"problem": f"What is $2+{level}$?", "solution": solution, "level": f"Level {level}", "type": "Algebra"}


def _exam(answer: int) -> dict[str, Any]:
    options = ["Iron", "Gold", "Neon", "Zinc", "Lead"]
    asked = {"question": f"Which of these is number {answer}?", "options": options, "category": "chemistry"}
    return {**asked, "answer": "ABCDE"[answer], "answer_index": answer}


def _expert(right: str) -> dict[str, Any]:
    wrong = {f"Incorrect Answer {number}": f"{number} volts" for number in (1, 2, 3)}
    return {"Question": f"How large is the potential of {right}?", "Correct Answer": right, **wrong}


def _story(index: int) -> dict[str, Any]:
    choices = ["Mackenzie", "Ana"]
    told = {"narrative": "Somebody took the cake. Ana was out.", "question": "Who was it?", "choices": str(choices)}
    return {**told, "answer_index": index, "answer_choice": choices[index]}


def _instruction(key: int) -> dict[str, Any]:
    kinds = ["punctuation:no_comma", "length_constraints:number_words"]
    arguments = {"relation": "at least", "num_words": 3 + key}
    empty = dict.fromkeys(arguments)
    prompt = f"Write at least {3 + key} words, without commas."
    return {"key": key, "prompt": prompt, "instruction_id_list": kinds, "kwargs": [empty, arguments]}


def _puzzle(name: str) -> Rows:
    return [{"input": f"Is it so that {number}?", "target": target} for number, target in enumerate(_targets(name))]


def _targets(name: str) -> list[str]:
    return _NAMED.get(name, ["(A)", "(B)"])


REPOSITORIES: Mapping[str, Mapping[str, Mapping[str, Rows]]] = {
    "Rowan/hellaswag": {
        "default": {"train": [_endings(n) for n in range(40)], "validation": [_endings(42), _endings(44)]}
    },
    "allenai/ai2_arc": {
        name: {
            split: [_science(first + n) for n in range(40)]
            for first, split in ((0, "train"), (100, "validation"), (200, "test"))
        }
        for name in ("ARC-Challenge", "ARC-Easy")
    },
    "allenai/winogrande": {
        "winogrande_xl": {"train": [_pronoun(n) for n in range(40)], "validation": [_pronoun(51), _pronoun(52)]}
    },
    "truthfulqa/truthful_qa": {
        "multiple_choice": {"validation": [_myth("What happens if you eat ink?"), _myth("What if you whistle?")]}
    },
    "openai/gsm8k": {"main": {"train": [_sum(n, 2) for n in range(40)], "test": [_sum(50, 7), _sum(11, 9)]}},
    "DigitalLearningGmbH/MATH-lighteval": {
        name: {split: [_problem(level) for level in (3, 5, 5)] for split in ("train", "test")}
        for name in (
            *("algebra", "counting_and_probability", "geometry", "intermediate_algebra"),
            *("number_theory", "prealgebra", "precalculus"),
        )
    },
    "SaylorTwift/bbh": {name: {"test": _puzzle(name)} for name in _PUZZLES},
    "TIGER-Lab/MMLU-Pro": {"default": {"validation": [_exam(n % 5) for n in range(40)], "test": [_exam(3), _exam(0)]}},
    "Idavidrein/gpqa": {
        f"gpqa_{name}": {"train": [_expert("7 volts"), _expert("9 volts")]} for name in ("main", "diamond", "extended")
    },
    "TAUR-Lab/MuSR": {
        "default": {
            split: [_story(0), _story(1)] for split in ("murder_mysteries", "object_placements", "team_allocation")
        }
    },
    "wis-k/instruction-following-eval": {"default": {"train": [_instruction(1), _instruction(2)]}},
}
"""By name, then by configuration and by split."""


def write_hub(folder: Path) -> Path:
    """Write all of them below a folder, where `datasets` finds them by name for whoever works there."""
    for repository, configurations in REPOSITORIES.items():
        for name, splits in configurations.items():
            for split, rows in splits.items():
                file = folder / repository / name / f"{split}.jsonl"
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
        about = [
            {"config_name": name, "data_files": [{"split": split, "path": f"{name}/{split}.jsonl"} for split in splits]}
            for name, splits in configurations.items()
        ]
        (folder / repository / "README.md").write_text(f"---\n{yaml.safe_dump({'configs': about})}---\n", "utf-8")
    return folder
