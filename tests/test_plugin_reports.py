"""The example of a plug-in: its suite has its place in the report and on the leaderboard, in English and in Chinese."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pypdf
import pytest
import yaml

from tests.forks import python

PACKAGE = Path(__file__).parents[1] / "examples" / "rhymes"
CHINESE = yaml.safe_load((PACKAGE / "harness_rhymes" / "locale" / "zh.yaml").read_text(encoding="utf-8"))
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
        for view in ("scores", "rhymes")
    )
    return {
        "weights": [one.label for one in front.slider],
        "views": scores.selectbox(key="view").options,
        "suites": scores.selectbox(key="suite").options,
        "charts": [json.loads(one.proto.spec)["title"] for one in own.get("vega_lite_chart")],
    }


print(json.dumps({language: told(language) for language in ("en", "zh")}))
"""


@dataclass(frozen=True)
class Installed:
    """The package as it is installed, and a sealed run of its suite."""

    site: Path
    folder: Path
    run: str

    def python(self, *arguments: str) -> str:
        """What a command with the package on its path prints."""
        records = str(self.folder / "runs")
        finished = python(*arguments, cwd=self.folder, path=(self.site,), HARNESS_RECORDS=records)
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    def report(self, language: str, suffix: str) -> Path:
        """The file of a report."""
        path = self.folder / f"{language}.{suffix}"
        kind = {"md": "markdown"}.get(suffix, suffix)
        self.python("-m", "harness", "report", self.run, f"--{kind}", str(path), "--language", language)
        return path


@pytest.fixture(scope="module")
def rhymes(tmp_path_factory: pytest.TempPathFactory, tiny_llama: Path) -> Installed:
    site = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--target", str(site), str(PACKAGE)], check=True, capture_output=True)
    made = Installed(site, tmp_path_factory.mktemp("work"), "")
    command = ["eval", "--model", str(tiny_llama), "--suite", "rhymes", "--meter", "none", "--json"]
    result = json.loads(made.python("-m", "harness", *command))
    return Installed(site, made.folder, result["run_id"])


def _plain(text: str) -> str:
    return "".join(text.replace("\u200b", "").replace("\\", "").split())


def test_the_pdf_has_its_title_worry_figure_definition_and_evidence(rhymes: Installed) -> None:
    pages = pypdf.PdfReader(rhymes.report("en", "pdf")).pages
    text = _plain("\n".join(page.extract_text() for page in pages))
    for said in ENGLISH:
        assert _plain(said) in text, said
    assert "MEASURE2.3" in text


def test_all_of_it_is_said_in_chinese_by_the_words_of_the_package(rhymes: Installed) -> None:
    text = _plain(rhymes.report("zh", "md").read_text(encoding="utf-8"))
    for english, said in zip(ENGLISH, CHINESE.values(), strict=True):
        assert _plain(said.replace("{task}", "couplets")) in text, said
        assert _plain(english) not in text


def test_the_leaderboard_has_its_title_and_its_figure(rhymes: Installed) -> None:
    (rhymes.folder / "board.py").write_text(BOARD)
    rhymes.python("-m", "harness", "index")
    app = Path(__file__).parents[1] / "leaderboard" / "app.py"
    shown = json.loads(rhymes.python("board.py", str(app), rhymes.run).splitlines()[-1])
    for language, title in (("en", "Poetry of the model"), ("zh", CHINESE["Poetry of the model"])):
        told = shown[language]
        assert title in told["weights"]
        assert title in told["views"]
        assert title in told["suites"]
        assert told["charts"][-1] == title


def test_a_record_is_told_without_the_package_by_the_names_in_it(rhymes: Installed) -> None:
    elsewhere = Installed(rhymes.folder / "nowhere", rhymes.folder, rhymes.run)
    text = elsewhere.report("en", "md").read_text(encoding="utf-8")
    assert "rhyme\\_rate" in text
    assert "\n## rhymes\n" in text
    assert "Poetry of the model" not in text
    assert "no better than chance" not in text
