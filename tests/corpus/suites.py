"""Suite files and data that would run code, or can't be scored."""

import json

from tests.corpus.entry import EVAL, Scene, entry

__all__: list[str] = []

LM_EVAL = (*EVAL[:3], "--task", "lm-eval:planted", "--include-path", "tasks", *EVAL[5:])
TASK = """
task: planted
dataset_path: json
dataset_kwargs:
  data_files:
    test: ROWS
test_split: test
output_type: multiple_choice
doc_to_text: TEXT
doc_to_choice: options
doc_to_target: gold
metric_list:
  - metric: acc
"""


def _suite(scene: Scene, *changes: tuple[str, str]) -> None:
    text = (scene.folder / "mine.yaml").read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    (scene.folder / "mine.yaml").write_text(text)


def _planted(scene: Scene, text: str) -> None:
    folder = scene.folder / "tasks"
    folder.mkdir()
    rows = str(scene.folder / "questions.jsonl")
    (folder / "planted.yaml").write_text(TASK.replace("ROWS", rows).replace("TEXT", text))
    (folder / "evil.py").write_text(scene.payload())


@entry("suite", "mine.yaml, line 7", "python/object/apply")
def yaml_object(scene: Scene) -> None:
    _suite(scene, ("data: questions.jsonl", f"data: !!python/object/apply:os.system ['touch {scene.marker}']"))


@entry("suite", "mine.yaml, line 7", "!function")
def yaml_function(scene: Scene) -> None:
    (scene.folder / "evil.py").write_text(scene.payload())
    _suite(scene, ("data: questions.jsonl", "data: !function evil.rows"))


@entry("suite", "mine.yaml, line 5", "aliases", "aren't allowed")
def yaml_bomb(scene: Scene) -> None:
    lines = ["name: mine", "description: bomb", "a: &a [x,x,x,x,x,x,x,x,x]"]
    lines += [f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]" for old, new in zip("abcdefgh", "bcdefghi", strict=True)]
    (scene.folder / "mine.yaml").write_text("\n" + "\n".join(lines))


@entry("suite", "tasks/planted.yaml", "doc_to_text", "evil.text", "--trust-task-code", command=LM_EVAL)
def yaml_function_lm_eval(scene: Scene) -> None:
    _planted(scene, "!function evil.text")


@entry("suite", "mine.yaml", "prompt", "only plain {column} fields")
def format_escape(scene: Scene) -> None:
    _suite(scene, ("{question}", "{question.__class__.__mro__}"))


@entry("suite", "tasks/planted.yaml", "doc_to_text", "Python's internals", "--trust-task-code", command=LM_EVAL)
def jinja_escape(scene: Scene) -> None:
    code = f"cycler.__init__.__globals__.os.system('touch {scene.marker}')"
    _planted(scene, f'"{{{{ {code} }}}}"')


@entry("suite", "questions.jsonl", "two rows have the id 'same'", "its own id")
def duplicate_sample_ids(scene: Scene) -> None:
    row = {"id": "same", "question": "Where?", "options": ["over", "home"], "gold": 0}
    (scene.folder / "questions.jsonl").write_text((json.dumps(row) + "\n") * 4)
    _suite(scene, ("    gold: gold\n", "    gold: gold\n    id: id\n"))


@entry("suite", "questions.jsonl, line 1", "NaN", "null")
def nan_in_json(scene: Scene) -> None:
    path = scene.folder / "questions.jsonl"
    path.write_text(path.read_text().replace('"gold": 0', '"gold": NaN', 1))
