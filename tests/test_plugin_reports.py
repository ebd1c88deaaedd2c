"""A suite of a third-party package has its place in the report and on the leaderboard, in English and in Chinese."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pypdf
import pytest

PYPROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "harness-verses"
version = "1.0"

[project.entry-points."harness.suites"]
verse = "harness_verses:Verse"

[project.entry-points."harness.tasks"]
couplets = "harness_verses:Couplets"
"""
MODULE = '''
"""A suite of verses."""

from dataclasses import replace

from harness.core.tasks import Sample, Suite
from harness.tasks.choices import MultipleChoice


class Couplets(MultipleChoice):
    """Which word rhymes?"""

    name = "couplets"
    metrics = (
        replace(
            MultipleChoice.metrics[0],
            name="rhyme_rate",
            source="the poets",
            meaning="The share of lines that end as they should.",
        ),
    )

    def samples(self, rows, settings):
        lines = [f"The cat number {n} wore a" for n in range(6)]
        return [Sample(id=str(n), prompt=line, choices=("hat", "dog"), gold=0) for n, line in enumerate(lines)]

    def question(self, row):
        return ""

    def choices(self, row):
        return ()

    def gold(self, row):
        return 0

    def score(self, sample, responses):
        return [replace(super(Couplets, self).score(sample, responses)[0], metric="rhyme_rate")]


class Verse(Suite):
    """How well a model rhymes."""

    name = "verse"
    title = "Poetry of the model"
    report = "harness_verses.report:VerseReport"
    tasks = ("couplets",)
    headline = (("couplets", "rhyme_rate"),)
'''
REPORT = '''
"""What the suite brings to a report."""

from functools import partial

from harness import charts
from harness.core.reports import Drawing, Evidence, SuiteReport, Weight, Worry
from harness.report.figures import frame_of, valued


class VerseReport(SuiteReport):
    """Rhymes in words and in a picture."""

    evidence = Evidence(nist="MEASURE 9.9", ai_act="Art. 99", why="how well it rhymes")
    note_on_samples = "Mind the verses."

    def worries(self, run, words):
        for one in valued(run.estimates, "verse"):
            if one.task == "couplets":
                yield Worry(weight=Weight.SHOWN, text=words("Nobody will sing {task}.", task=one.task))

    def figures(self, run, words):
        rows = [one for one in valued(run.estimates, "verse") if one.task == "couplets"]
        frame = frame_of(rows, name=[one.task for one in rows], suite=words("Poetry of the model"))
        yield Drawing(draw=partial(charts.dimension_bars, frame), caption=words("Rhymes by task"), rows=rows)
'''
CHINESE = {
    "Poetry of the model": "模型的诗歌",
    "How well a model rhymes.": "模型押韵的水平。",
    "The share of lines that end as they should.": "结尾得当的诗行所占比例。",
    "Nobody will sing {task}.": "没有人会唱 {task}。",
    "Rhymes by task": "各任务的押韵",
    "how well it rhymes": "押韵的水平",
    "Mind the verses.": "请当心诗句。",
}
ENGLISH = [text.replace("{task}", "couplets") for text in CHINESE]
BOARD = """
import json, sys
from streamlit.testing.v1 import AppTest


def page(run, view):
    import streamlit as st
    from leaderboard.session import choose_language, open_session
    from leaderboard.views.run import page

    st.query_params["run"], st.query_params["view"] = run, view
    page(open_session(choose_language()))


def opened(app, language):
    app.query_params["lang"] = language
    app.run()
    assert not app.exception, app.exception
    return app


def told(language):
    front = opened(AppTest.from_file(sys.argv[1], default_timeout=120), language)
    scores, own = (
        opened(AppTest.from_function(page, default_timeout=120, args=(sys.argv[2], view)), language)
        for view in ("scores", "verse")
    )
    return {
        "weights": [one.label for one in front.slider],
        "views": scores.selectbox(key="view").options,
        "headings": [one.value for one in scores.subheader],
        "charts": [json.loads(one.proto.spec)["title"] for one in own.get("vega_lite_chart")],
    }


print(json.dumps({language: told(language) for language in ("en", "zh")}))
"""


@dataclass(frozen=True)
class Verses:
    """The package as it is installed, and a sealed run of its suite."""

    site: Path
    folder: Path
    run: str

    def python(self, *arguments: str) -> str:
        """What a command with the package on its path prints."""
        path = os.pathsep.join([str(self.site), os.environ.get("PYTHONPATH", "")])
        environment = {**os.environ, "PYTHONPATH": path, "HARNESS_RECORDS": str(self.folder / "runs")}
        finished = subprocess.run(
            [sys.executable, *arguments], capture_output=True, text=True, check=False, cwd=self.folder, env=environment
        )
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    def report(self, language: str, suffix: str) -> Path:
        """The file of a report."""
        path = self.folder / f"{language}.{suffix}"
        kind = {"md": "markdown"}.get(suffix, suffix)
        self.python("-m", "harness", "report", self.run, f"--{kind}", str(path), "--language", language)
        return path


@pytest.fixture(scope="module")
def verses(tmp_path_factory: pytest.TempPathFactory, tiny_llama: Path) -> Verses:
    source, site = tmp_path_factory.mktemp("verses"), tmp_path_factory.mktemp("site")
    package = source / "harness_verses"
    (package / "locale").mkdir(parents=True)
    (source / "pyproject.toml").write_text(PYPROJECT)
    (package / "__init__.py").write_text(MODULE)
    (package / "report.py").write_text(REPORT)
    catalogue = "".join(f"{json.dumps(key)}: {json.dumps(said)}\n" for key, said in CHINESE.items())
    (package / "locale" / "zh.yaml").write_text(catalogue)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--target", str(site), str(source)], check=True, capture_output=True)
    made = Verses(site, tmp_path_factory.mktemp("work"), "")
    command = ["eval", "--model", str(tiny_llama), "--suite", "verse", "--meter", "none", "--json"]
    result = json.loads(made.python("-m", "harness", *command))
    return Verses(site, made.folder, result["run_id"])


def _plain(text: str) -> str:
    return "".join(text.replace("\u200b", "").replace("\\", "").split())


def test_the_pdf_has_its_title_worry_figure_definition_and_evidence(verses: Verses) -> None:
    pages = pypdf.PdfReader(verses.report("en", "pdf")).pages
    text = _plain("\n".join(page.extract_text() for page in pages))
    for said in ENGLISH:
        assert _plain(said) in text, said
    assert "MEASURE9.9" in text


def test_all_of_it_is_said_in_chinese_by_the_words_of_the_package(verses: Verses) -> None:
    text = _plain(verses.report("zh", "md").read_text(encoding="utf-8"))
    for english, said in zip(ENGLISH, CHINESE.values(), strict=True):
        assert _plain(said.replace("{task}", "couplets")) in text, said
        assert _plain(english) not in text


def test_the_leaderboard_has_its_title_and_its_figure(verses: Verses) -> None:
    (verses.folder / "board.py").write_text(BOARD)
    verses.python("-m", "harness", "index")
    app = Path(__file__).parents[1] / "leaderboard" / "app.py"
    shown = json.loads(verses.python("board.py", str(app), verses.run).splitlines()[-1])
    for language, title in (("en", "Poetry of the model"), ("zh", CHINESE["Poetry of the model"])):
        told = shown[language]
        assert title in told["weights"]
        assert title in told["views"]
        assert title in told["headings"]
        assert told["charts"] == [title]


def test_a_record_is_told_without_the_package_by_the_names_in_it(verses: Verses) -> None:
    elsewhere = Verses(verses.folder / "nowhere", verses.folder, verses.run)
    text = elsewhere.report("en", "md").read_text(encoding="utf-8")
    assert "rhyme\\_rate" in text
    assert "\n## verse\n" in text
    assert "Poetry of the model" not in text
    assert "Nobody will sing" not in text
