"""One thing has one name in Chinese, on paper, on the board and in charts."""

from collections import defaultdict
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
CATALOGUES = [path for top in ("harness", "leaderboard", "suites") for path in (ROOT / top).rglob("locale/zh.yaml")]

COUNTS = {"samples", "groups", "tokens"}
"""Words that head a column of counts in one place, and name the things themselves in another."""

SAID_OTHERWISE = {
    "鲁棒性": "稳健性",
    "正确率": "准确率",
    "标准答案": "参考答案",
    "份额": "比例",
    "电表": "能耗计",
    "值得担忧": "需要注意",
    "说明不了什么": "不具证明力",
}
"""What was said for the same thing, and what is said instead."""


def test_an_english_word_has_one_chinese_word() -> None:
    said: defaultdict[str, set[str]] = defaultdict(set)
    for path in CATALOGUES:
        for english, chinese in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            said[english.lower()].add(chinese)
    assert len(CATALOGUES) > 20
    assert {english for english, several in said.items() if len(several) > 1} == COUNTS


def test_no_second_word_comes_back() -> None:
    found = {
        (word, path.relative_to(ROOT).as_posix())
        for path in CATALOGUES
        for word in SAID_OTHERWISE
        if word in path.read_text(encoding="utf-8")
    }
    assert found == set()


def test_a_score_is_called_one_thing_but_in_the_name_of_an_interval() -> None:
    for path in CATALOGUES:
        assert "得分" not in path.read_text(encoding="utf-8").replace("得分区间", "")
