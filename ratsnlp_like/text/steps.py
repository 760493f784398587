"""Steps of text normalisation by name: each returns the edits of a text."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from .edits import Edit, Pass, Step


def _replace_all(pattern: str, new: str) -> Pass:
    """`re.sub` with a fixed text, as edits."""
    matches = re.compile(pattern).finditer
    return lambda text: [(match.start(), match.end(), new) for match in matches(text)]


def _strip(text: str) -> list[Edit]:
    """`str.strip`, as edits."""
    start, end = len(text) - len(text.lstrip()), len(text.rstrip())
    if start >= end:
        return [(0, len(text), "")] if text else []
    return [(at, to, "") for at, to in ((0, start), (end, len(text))) if at < to]


def _keep_two(pattern: str) -> Pass:
    """Of each run of one unit (group 1 of the pattern) keep two.

    The first unit keeps its own place; the second takes all the rest as its source, so that no
    character of the run is left without a counterpart.
    """
    matches = re.compile(pattern).finditer
    return lambda text: [(match.end(1), match.end(), match[1]) for match in matches(text)]


# --- kcbert-clean --------------------------------------------------------------------------------

# The rule as published with KcBERT and KcELECTRA (https://github.com/Beomi/KcBERT, "Preprocess"; soynlp
# 0.0.493), in its order and with its quirks: 10000원 becomes 100원, and a URL with Hangul right after its
# domain is not seen (\b finds no edge there). Its second act, to delete emoji, is left out, as the first
# leaves nothing of any emoji but the digit, # or * of a keycap.
_KCBERT_CLEAN: tuple[Pass, ...] = (
    _replace_all(r"[^\x00-\x7F％·∼ㄱ-ㅣ가-힣]+", " "),
    _replace_all(
        r"https?://(?:www\.)?[-a-zA-Z0-9@:%._+~#=]{1,256}\.[a-zA-Z0-9()]{1,6}\b[-a-zA-Z0-9()@:%_+.~#?&/=]*", ""
    ),
    _strip,
    _keep_two(r"(\w)\1{3,}"),  # of digits too
    _replace_all(r"\s{2,}|[^\S ]", " "),  # \s+ -> one space, without the edits that change nothing
    _strip,
)


# --- compatibility-jamo --------------------------------------------------------------------------


def _compatibility_letters() -> Iterator[tuple[str, str]]:
    """Conjoining jamo and its compatibility letter, paired by their Unicode names.

    U+1100 HANGUL CHOSEONG KIYEOK and U+11A8 HANGUL JONGSEONG KIYEOK are both U+3131 HANGUL LETTER KIYEOK.
    Unicode's own compatibility mapping leads only the other way, and to one of the two.
    """
    letters = {unicodedata.name(chr(code)): chr(code) for code in range(0x3131, 0x318F)}
    for code in range(0x1100, 0x1200):
        name = unicodedata.name(chr(code)).split(maxsplit=2)[-1]
        if letter := letters.get(f"HANGUL LETTER {name}"):
            yield chr(code), letter
    yield "\u115f", ""  # the fillers stand for a letter that is not there
    yield "\u1160", ""
    yield "\u11a1", "ㆎ"  # two names for one letter: ARAEA-I, ARAEAE
    yield "\u11a2", "ㆍㆍ"  # SSANGARAEA has no letter of its own, and reviews are full of it (좋아요ᆢ)


_COMPATIBILITY_LETTERS = dict(_compatibility_letters())
_CONJOINING = re.compile("[\u1100-\u11ff]")
_OPEN_SYLLABLES = "".join(map(chr, range(0xAC00, 0xD7A4, 28)))  # those without a final: 가 개 갸 ...
_SYLLABLE_OR_JAMO = re.compile(
    f"(?:[\u1100-\u1112][\u1161-\u1175]|[{_OPEN_SYLLABLES}](?=[\u11a8-\u11c2]))[\u11a8-\u11c2]?|[\u1100-\u11ff]"
)


def _compatibility_jamo(text: str) -> list[Edit]:
    """Compose conjoining jamo (U+1100-U+11FF) to syllables; make the rest compatibility letters (U+3131-U+318E).

    Vocabularies hold the compatibility letters, as keyboards type them (ㅋㅋ, ㅠㅠ), and know the conjoining
    ones as [UNK]. Composed is what NFC composes. Fillers, which stand for a letter that is not there,
    go. Old letters without a compatibility letter stay (but U+11A2, two dots in use, becomes ㆍㆍ).
    """
    if not _CONJOINING.search(text):
        return []
    edits = []
    for match in _SYLLABLE_OR_JAMO.finditer(text):
        found = match[0]
        new = unicodedata.normalize("NFC", found) if len(found) > 1 else _COMPATIBILITY_LETTERS.get(found, found)
        if new != found:
            edits.append((match.start(), match.end(), new))
    return edits


# --- nfc -----------------------------------------------------------------------------------------

# The pieces that composing can change: any character followed by some that might combine with it. Those
# ruled out are in NFC by themselves and never combine with what precedes them: Latin, leading jamo,
# compatibility jamo, Hanja, syllables. (A syllable can be followed by a final, a leading jamo by a vowel.)
_INERT = "\x00-\u02ff\u1100-\u115f\u3131-\u318e\u3400-\u4dbf\u4e00-\u9fff가-힣"
_COMPOSABLE = re.compile(f"[{_INERT}]?[^{_INERT}]+")


def _nfc(text: str) -> list[Edit]:
    """Unicode normalisation form C (UAX #15), in the smallest pieces that normalise on their own."""
    if unicodedata.is_normalized("NFC", text):
        return []
    edits = []
    for match in _COMPOSABLE.finditer(text):
        start = match.start()
        for piece in _independent_pieces(match[0]):
            composed = unicodedata.normalize("NFC", piece)
            if composed != piece:
                edits.append((start, start + len(piece), composed))
            start += len(piece)
    return edits


def _independent_pieces(text: str) -> Iterator[str]:
    """Cut where NFC(left + right) = NFC(left) + NFC(right), whatever follows.

    That is before a character that begins with a starter (so that no mark after it can move to before
    it) and does not compose with what precedes it.
    """
    normalize = unicodedata.normalize
    if len(normalize("NFC", text)) == 1:  # the common case: the jamo of one syllable
        yield text
        return
    start = 0
    for i in range(1, len(text)):
        right = text[i]
        if unicodedata.combining(normalize("NFD", right)[0]):
            continue
        left = text[start:i]
        if normalize("NFC", left + right) == normalize("NFC", left) + normalize("NFC", right):
            yield left
            start = i
    yield text[start:]


# --- shorten-repeats -----------------------------------------------------------------------------

# Three or more of a unit of 1 to 4 characters, none of them a digit or white space: ㅋㅋㅋㅋ, 하하하, ?!?!?!. The
# idea is that of soynlp's repeat_normalize, which does not spare digits and does not see !!!! or 그래그래그래.
_shorten_repeats = _keep_two(r"([^\d\s]{1,4}?)\1{2,}")


# --- urls ----------------------------------------------------------------------------------------

_MAY_HOLD_URL = re.compile(r"://|[Ww][Ww][Ww]\.|@")
# RFC 3986's characters. Hangul ends an address, as particles are written right after it (naver.com에서),
# but may begin a host or what follows a separator (namu.wiki/w/기생충_(영화)).
_URL = (
    r"(?:[A-Za-z]{2,16}://(?:[Ww]{3}\.)?|(?<![A-Za-z0-9])[Ww]{3}\.)"
    r"(?:[A-Za-z0-9\[]|[가-힣]+)"
    r"(?:(?<=[/=#_+-])\(?[가-힣]+|[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-])*+"
)
# The bound on the local part is RFC 5321's; with the lookbehind it keeps the search linear.
_EMAIL = r"(?:(?i:mailto:))?(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24}"
_URL_OR_EMAIL = re.compile(f"{_URL}|{_EMAIL}")
_OPENING = {")": "(", "]": "["}


def _urls(text: str) -> list[Edit]:
    """URLs with a scheme or www., and e-mail addresses -> one space, so that the words around stay apart.

    A bare domain (naver.com) stays: it often is the name of the firm. Punctuation after an address
    stays too.
    """
    if not _MAY_HOLD_URL.search(text):
        return []
    return [
        (match.start(), match.start() + len(_without_punctuation(match[0])), " ")
        for match in _URL_OR_EMAIL.finditer(text)
    ]


def _without_punctuation(address: str) -> str:
    """Leave out the sentence's punctuation, and a closing bracket that was opened before the address."""
    while (last := address[-1]) in ".,;:!?'*~" or (
        last in _OPENING and address.count(last) > address.count(_OPENING[last])
    ):
        address = address[:-1]
    return address


# --- emoji ---------------------------------------------------------------------------------------

# Emoji of UTS #51 (Unicode 16), outside the BMP by whole pictographic blocks, so that those of later years
# are in. Always emoji: what is shown in colour by default, and the older signs of clocks, weather, hands,
# hearts and the like.
_PICTURES = (
    "\u231a\u231b\u2328\u23cf\u23e9-\u23f3\u23f8-\u23fa\u25fd\u25fe\u2600-\u2604\u2611\u2614\u2615\u2618\u261d\u2620"
    "\u2622\u2623\u2626\u262a\u262e\u262f\u2638-\u263a\u2648-\u2653\u265f\u267b\u267e\u267f\u2692-\u2697\u2699\u269b"
    "\u269c\u26a0\u26a1\u26a7\u26aa\u26ab\u26b0\u26b1\u26bd\u26be\u26c4\u26c5\u26c8\u26ce\u26cf\u26d1\u26d3\u26d4"
    "\u26e9\u26ea\u26f0-\u26f5\u26f7-\u26fa\u26fd\u2702\u2705\u2708-\u270d\u270f\u2712\u2714\u2716\u271d\u2721\u2728"
    "\u2733\u2734\u2744\u2747\u274c\u274e\u2753-\u2755\u2757\u2763\u2764\u2795-\u2797\u27b0\u27bf\u2b1b\u2b1c\u2b50"
    "\u2b55\U0001f004\U0001f0cf\U0001f170\U0001f171\U0001f17e\U0001f17f\U0001f18e\U0001f191-\U0001f19a"
    "\U0001f1e6-\U0001f1ff\U0001f201\U0001f202\U0001f21a\U0001f22f\U0001f232-\U0001f23a\U0001f250\U0001f251"
    "\U0001f300-\U0001f64f\U0001f680-\U0001f6ff\U0001f7e0-\U0001f7eb\U0001f7f0\U0001f90c-\U0001f9ff"
    "\U0001fa70-\U0001faff"
)
# Text unless U+FE0F, a skin tone or a joiner makes it an emoji: © ® ‼ ⁉ ™ ℹ, arrows, Ⓜ, squares, 〰 〽 ㊗ ㊙, and
# the signs that Korean keyboards have typed since before emoji (KS X 1001): ▶ ◀ ☎ ♀ ♂ ♠ ♣ ♥ ♨ (and ♦, of ♠ ♣ ♥).
_SIGNS = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u2199\u21a9\u21aa\u24c2\u25aa\u25ab\u25b6\u25c0\u25fb\u25fc\u260e\u2640"
    "\u2642\u2660\u2663\u2665\u2666\u2668\u27a1\u2934\u2935\u2b05-\u2b07\u3030\u303d\u3297\u3299"
)
_SKIN_TONES = "\U0001f3fb-\U0001f3ff"
_EMOJI = (
    f"[{_PICTURES}]"
    f"|[{_SIGNS}](?:[\ufe0f{_SKIN_TONES}]|\u200d(?=[{_PICTURES}{_SIGNS}]))"
    "|[0-9#*]\ufe0f?\u20e3"  # keycaps
)
# Variation selectors, the joiner, a spare keycap and the tags of flags such as Scotland's.
_ATTACHED = f"[\ufe0e\ufe0f\u200d\u20e3\U000e0020-\U000e007f]|(?<=\u200d)[{_SIGNS}]"
_EMOJI_RUN = re.compile(f"((?:{_EMOJI})(?:{_EMOJI}|{_ATTACHED})*+)|[\ufe0e\ufe0f]+")
_MAY_HOLD_EMOJI = re.compile(f"[{_PICTURES}{_SIGNS}\u20e3\ufe0e\ufe0f]")


def _emoji(text: str) -> list[Edit]:
    """A run of emoji (UTS #51: joined, flags, keycaps, with skin tones) -> one space.

    Digits, #, ™, © and signs of Korean keyboards such as ♥ are text, unless they bear what makes them
    emoji (1️⃣, ™️, ♥️). Of a variation selector on its own, which is invisible, nothing is left.
    """
    if not _MAY_HOLD_EMOJI.search(text):
        return []
    return [(match.start(), match.end(), " " if match[1] else "") for match in _EMOJI_RUN.finditer(text)]


# --- html ----------------------------------------------------------------------------------------

_BREAKING = (
    "address|article|aside|blockquote|body|br|caption|center|dd|details|dialog|div|dl|dt|fieldset|figcaption|figure"
    "|footer|form|h[1-6]|head|header|hr|html|legend|li|main|menu|nav|ol|optgroup|option|p|pre|section|summary|table"
    "|tbody|td|tfoot|th|thead|title|tr|ul"
)
_INLINE = (
    "a|abbr|acronym|area|audio|b|base|bdi|bdo|big|button|canvas|cite|code|col|colgroup|data|datalist|del|dfn|em|embed"
    "|font|i|iframe|img|input|ins|kbd|label|link|map|mark|meta|meter|nobr|noscript|object|output|param|picture"
    "|progress|q|rp|rt|ruby|s|samp|script|select|slot|small|source|span|strike|strong|style|sub|sup|svg|template"
    "|textarea|time|track|tt|u|var|video|wbr"
)
_ATTRIBUTE = r"""\s++[A-Za-z_:@][A-Za-z0-9_:.@-]*+(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s"'<>=`]++))?+"""
_TAG = rf"</?(?:{_BREAKING}|{_INLINE})(?:{_ATTRIBUTE})*+\s*+/?>"
_UNSEEN = r"<!--.*?-->|<!doctype\b[^>]*+>|<(?P<unseen>script|style)\b[^>]*+>.*?</(?P=unseen)\s*+>"
_ENTITY = r"&(?:#[0-9]{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});"
_MARKUP = re.compile(f"(?P<tags>(?:{_UNSEEN}|{_TAG})++)|{_ENTITY}", re.IGNORECASE | re.DOTALL)
_MAY_HOLD_MARKUP = re.compile("[<&]")
_BREAKING_TAG = re.compile(rf"</?(?:{_BREAKING})\b", re.IGNORECASE)


def _html(text: str) -> list[Edit]:
    """Tags, comments, scripts and style sheets go; entities become the characters they stand for.

    Tags that break a line (<br>, <p>, <td> ...) leave one space between words. Only HTML's own element
    names make a tag, so that <기생충>, <Parasite>, >_< and <3 stay, and only `&name;` with its semicolon
    makes an entity, so that the & of an address stays. Entities are unescaped once, as a browser does:
    &amp;lt; becomes &lt;. &nbsp; becomes U+00A0, which `whitespace` turns into a space.
    """
    if not _MAY_HOLD_MARKUP.search(text):
        return []
    edits = []
    for match in _MARKUP.finditer(text):
        if tags := match["tags"]:
            between_words = match.start() > 0 and match.end() < len(text)
            new = " " if between_words and _BREAKING_TAG.search(tags) else ""
        else:
            new = html.unescape(match[0])
        if new != match[0]:
            edits.append((match.start(), match.end(), new))
    return edits


# --- whitespace ----------------------------------------------------------------------------------

# White space as `str.isspace` has it (no-break and ideographic space among them), the zero-width space, and
# U+FEFF, which as a zero-width no-break space or a byte order mark is as invisible.
_SPACE = "[\\s\u200b\ufeff]"
_ODD_SPACE = "[^\\S ]|[\u200b\ufeff]"
_SPACES = re.compile(f"{_SPACE}++")
_UNTIDY = re.compile(f"{_ODD_SPACE}|  ")


def _whitespace(text: str) -> list[Edit]:
    """Every run of white space -> one space; none at the ends."""
    if not (text[:1] == " " or text[-1:] == " " or _UNTIDY.search(text)):
        return []
    edits = []
    for match in _SPACES.finditer(text):
        start, end = match.span()
        new = "" if start == 0 or end == len(text) else " "
        if new != match[0]:
            edits.append((start, end, new))
    return edits


STEPS: Mapping[str, Step] = MappingProxyType(
    {
        "kcbert-clean": Step("KcBERT's published clean(), exactly; beware: it makes 100원 of 10000원", _KCBERT_CLEAN),
        "compatibility-jamo": Step(
            "conjoining jamo (U+1100-U+11FF) -> syllables where they compose, else letters such as ㅋ (U+314B)",
            (_compatibility_jamo,),
        ),
        "nfc": Step("Unicode NFC: decomposed Hangul (as macOS writes file names) -> syllables", (_nfc,)),
        "shorten-repeats": Step(
            "3 or more repeats of 1 to 4 characters -> 2 (ㅋㅋㅋㅋ -> ㅋㅋ); digits are spared",
            (_shorten_repeats,),
            until_stable=True,
        ),
        "urls": Step("URLs and e-mail addresses -> one space", (_urls,), until_stable=True),
        "emoji": Step("emoji -> one space; ♥, ™ and © stay", (_emoji,), until_stable=True),
        "html": Step("tags removed (<br> -> space), entities such as &amp; unescaped", (_html,)),
        "whitespace": Step("runs of any white space -> one space; ends stripped", (_whitespace,)),
    }
)
"""Name -> step."""
