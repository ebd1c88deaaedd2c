"""Tells whether an answer says that it doesn't know, in English and Chinese, by rules that can be read."""

import re

__all__ = ["ABSTENTIONS", "abstains"]

_WINDOW = 240
"""Characters in which an answer says that it doesn't know; behind them it has given one."""

_NOT = (
    r"(?:do not|don't|did not|didn't|can not|cannot|can't|could not|couldn't|am unable to|am not able to|'m unable to)"
)
_TELL = r"(?:answer|say|tell|determine|know|predict|find|provide|give|confirm|be (?:sure|certain))"
_TEXT = r"(?:text|passage|context|paragraph|article|document|question|information)"
_HOLD = (
    r"(?:say|state|mention|discuss|describe|address|reveal|name|list|cover|provide|specify|contain|give|answer|tell|"
    r"include|indicate|explain|have)"
)
_BE = r"(?:is|are|was|were|remains?)"

ABSTENTIONS: dict[str, str] = {
    "bare": r"\A\W*(?:it(?:'s| is) )?(?:unanswerable\b|(?:unknown|unknowable|not (?:answerable|known|given|stated|"
    r"mentioned|specified|available|enough information)|no answer|none given|n/a|not sure|no idea|uncertain|"
    r"(?:do not|don't) know|(?:can not|cannot|can't) (?:say|tell|determine))\W*(?:\Z|\n))",
    "I don't know": r"\b(?:I|we) (?:(?:really|honestly|simply|just|still|actually) )?(?:do not|don't) "
    r"(?:(?:really|actually|exactly|yet) )?(?:know\b|have (?:\w+ ){0,3}?"
    r"(?:information|answer|opinions?|preferences?|feelings|beliefs|experiences?|way of knowing)\b)|"
    r"\b(?:I|we)(?: have|'ve) no idea\b",
    "I can't tell": rf"\b(?:I|we)(?: {_NOT}|'m unable to) {_TELL}\b",
    "not sure": r"\bI(?:'m| am) (?:not (?:entirely |really |quite )?(?:sure|certain)|unsure|uncertain)\b",
    "nobody knows": r"\b(?:nobody|no one|no-one|none of us) (?:really |actually |truly )?"
    r"(?:knows?|can (?:say|tell|know))\b|"
    r"\b(?:scientists|experts|historians|researchers|people) (?:still )?(?:do not|don't) (?:yet )?know\b",
    "is unknown": rf"\b{_BE} (?:(?!an?\b|the\b)\w+ )?"
    r"(?:unknown|unanswerable|unknowable|not (?:yet )?known|not answerable|uncertain)"
    r"\b(?! (?!to\b|at\b|by\b|for\b|and\b|but\b|whether\b|what\b|if\b)\w)",
    "can't be known": r"\b(?:can't|can ?not|could not|couldn't) be (?:\w+ly )?"
    r"(?:answered|found|determined|known|predicted|proven|said|told|inferred)\b",
    "impossible to say": rf"\bimpossible to {_TELL}\b|\bno (?:way|means) (?:to|of) (?:know|tell|say|knowing|telling)",
    "no answer": r"\b(?:there(?:'s| is)|has) no (?:single |one |clear |definite |definitive |correct |right |simple |"
    r"scientific |known |universal |objective |agreed )*(?:answer|consensus|evidence|agreement)\b",
    "matter of opinion": r"\bmatter of (?:\w+ )?(?:opinion|debate|belief|taste|preference|perspective|speculation)\b|"
    r"\b(?:up for|subject to|open to|still) debated?\b",
    "not enough information": r"(?:\bnot enough|n't enough|\binsufficient|lack of) "
    r"(?:information|evidence|data|context|details)\b|\bno (?:information|evidence|data|details) "
    r"(?:about|on|available|is given|is provided|in the|to (?:say|answer|tell))\b",
    "the text doesn't say": rf"\b{_TEXT} (?:does not|doesn't|do not|don't|did not|didn't) (?:\w+ )?{_HOLD}\b|"
    rf"\b(?:not|never|nowhere) (?:\w+ )?(?:mentioned|stated|given|specified|provided|answered)\b(?: in\b|\W*\Z|\W*\n)|"
    rf"\bnot (?:to be )?(?:found )?in the {_TEXT}\b|\bno mention of\b",
    "不知道": r"\A\W*(?:我也?|我们|目前还?|还)?(?:不知道|不太?清楚|不太?确定|不太?了解)|"
    r"我(?:们)?(?:也|还|并)?(?:不知道|不太?清楚|不太?确定|不太?了解)|"
    r"(?:没有?人|无人|谁也不)(?:能|会)?(?:知道|知晓|说得清|确定|回答)|不得而知|说不清",
    "无法": r"(?:无法|不能|没法|难以|不可能)(?:被|准确|确切|直接)?"
    r"(?:回答|确定|得知|判断|知道|知晓|预测|预知|证明|得出|断定|给出)",
    "没有答案": r"(?:没有|无)(?:一个)?(?:确切|明确|标准|统一|固定|准确|唯一|定论|科学|绝对)?的?(?:答案|定论|证据|共识)",
    "未知": r"\A\W*未知\W*(?:\Z|\n)|(?:仍|尚|还|目前|至今)(?:然|且|是)?(?:未知|不明|没有定论)|是(?:个)?未知|答案未知",
    "文中没有": r"(?:文中|文章|文本|原文|段落|材料|上文)(?:中|里)?(?:并)?(?:没有|未)"
    r"(?:提到|提及|说明|给出|说|回答|指出)|"
    r"(?:信息|证据|资料|材料)(?:不足|不够)|(?:没有|缺乏)足够的?(?:信息|证据|资料)",
}
"""Regular expressions by the name under which a match is shown. They are matched without regard to case."""

_ANSWERS_AFTER_ALL = re.compile(
    r"\b(?:but|however|though|although|yet)\b[^.!?]{0,40}?\b"
    r"(?:I (?:think|believe|guess|would (?:say|guess))|I'd (?:say|guess)|my (?:best )?guess|"
    r"probably|possibly|perhaps|maybe|likely|it(?:'s| is| was)|they (?:are|were)|the answer is|"
    r"(?:might|could|may) be|according to)\b|"
    r",\s*(?:it|they|he|she|that) (?:might|could|may) be\b|[.!]\s*\w[\w' -]{0,40}\?\s*\Z|"
    r"(?:但是?|不过|然而)[^。！？]{0,12}?(?:我(?:认为|觉得|想|猜)|可能|大概|也许|应该|答案是)",
    re.IGNORECASE,
)
_ANSWERED_BEFORE = re.compile(r"\A\W*\w[^.!?\n]*,?\s(?:but|though|although)\s(?:\w+\s){0,2}\Z", re.IGNORECASE)
"""What leads from an answer to a doubt about it: `Rome, though `."""
_COMPILED = {name: re.compile(rule, re.IGNORECASE) for name, rule in ABSTENTIONS.items()}


def abstains(answer: str) -> str | None:
    """The rule by which the first 240 characters of an answer say that it isn't known; None where they don't.

    Whoever guesses all the same (`I don't know, but I think it is Rome`, `Rome, though I'm not sure`) has answered. An
    empty answer says nothing.
    What the rules can't hear: an abstention in another language, and one that only questions the question.
    """
    opening = answer.strip()[:_WINDOW].replace("\u2019", "'")
    for name, rule in _COMPILED.items():
        found = rule.search(opening)
        if found:
            answered = _ANSWERED_BEFORE.match(opening[: found.start()]) or _ANSWERS_AFTER_ALL.search(
                opening, found.end()
            )
            return None if answered else name
    return None
