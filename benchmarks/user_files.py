"""Files as a new user has them, generated: stars, reviews, topics, inference, similarity and entities.

The sentences are made of parts, so that the right label is known, and contain what makes such data hard: two clauses of
different opinion, negated adjectives, words of other topics, names with particles.
"""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

Row = dict[str, Any]


def _words(text: str) -> list[str]:
    return text.split()


THINGS = _words("배송 포장 색상 크기 재질 가격 디자인 마감 냄새 설명서 소리 배터리 화면 상담 교환 구성품")
STARS = (
    ("완전히 엉망이에요", "돈이 아까워요", "바로 반품했어요", "최악이네요", "쓸 수가 없어요"),
    ("좀 아쉬워요", "기대에 못 미쳐요", "생각보다 별로예요", "불편한 점이 많아요", "다시 사진 않을 것 같아요"),
    ("그냥 그래요", "보통이에요", "무난해요", "나쁘지도 좋지도 않아요", "딱 가격만큼이에요"),
    ("꽤 괜찮아요", "마음에 드는 편이에요", "대체로 만족해요", "생각보다 좋네요", "쓸 만해요"),
    ("정말 최고예요", "완벽합니다", "또 사고 싶어요", "강력히 추천해요", "너무너무 좋아요"),
)
GOOD = _words("재미있 맛있 친절하 깨끗하 편하 빠르 훌륭하")
BAD = _words("지루하 맛없 불친절하 더럽 불편하 느리 형편없")
PLACES = _words("영화 식당 직원 방 의자 배송 연기")
TOPICS = {
    "경제": "금리 환율 수출 물가 주식 은행 예산 세금 부동산 투자",
    "스포츠": "결승 감독 선수 득점 리그 타율 우승 경기장 심판 올림픽",
    "정치": "국회 의원 선거 법안 대통령 정당 장관 외교 여당 투표",
    "과학": "연구팀 위성 유전자 실험 논문 로봇 우주 반도체 백신 망원경",
    "문화": "공연 전시 소설 감독 영화제 배우 음반 관객 미술관 축제",
}
WHO = _words("민수 지영 선생님 할머니 동생 사장님 간호사 기자 화가 이웃")
WHEN = _words("어제 오늘 지난주에 아침에 저녁에 주말에 작년에 방금")
WHERE = _words("서울에서 부산에서 시장에서 공원에서 학교에서 병원에서 역에서 바닷가에서")
WHAT = _words("사과를 책을 꽃을 자전거를 우산을 그림을 표를 모자를 의자를 커피를")
DID = _words("샀다 팔았다 잃어버렸다 찾았다 버렸다 고쳤다 보았다 빌렸다")
FAMILY, GIVEN = "김이박최정강조윤장임한오서신권황안송류홍", "민서지윤하준우연수아영호진현정은성재미경"
CITIES = _words("서울 부산 대구 인천 광주 대전 울산 수원 창원 제주 전주 청주 포항 강릉 춘천")
FIRMS = [
    first + second
    for first in _words("한빛 두레 미르 새솔 가온 누리 다온 해솔")
    for second in _words("전자 은행 건설 식품 통신 대학교")
]
SENTENCES = (
    "{PS}{가} {LC}에서 {OG}에 입사했다",
    "{OG}{는} {LC}에 새 공장을 짓는다",
    "{LC} 출신 {PS} 대표가 {OG}{를} 떠났다",
    "{PS}{와} {PS}{는} {LC}{로} 여행을 갔다",
    "어제 {LC}에는 비가 많이 내렸다",
    "{OG} {PS} 교수의 강연이 {LC}에서 열린다",
)
PARTICLES = {"가": "이가", "는": "은는", "를": "을를", "와": "과와", "로": "으로"}


def stars(rng: random.Random) -> Row:
    """Return a review with 1 to 5 stars; a second clause may differ by one star, and the first decides."""
    star = rng.randrange(5)
    parts = [f"{rng.choice(THINGS)} {rng.choice(STARS[star])}"]
    if rng.random() < 0.5:
        other = min(4, max(0, star + rng.choice([-1, 0, 1])))
        parts.append(f"{rng.choice(THINGS)}도 {rng.choice(STARS[other])}")
    return {"후기": " ".join(parts), "별점": star + 1}


def reviews(rng: random.Random) -> Row:
    """Return a review whose adjective may be negated."""
    good, negated = rng.random() < 0.5, rng.random() < 0.4
    stem = rng.choice(GOOD if good else BAD)
    ending = (
        rng.choice(["지 않았어요", "지는 않네요"]) if negated else rng.choice(["고 또 오고 싶어요", "네요", "더라고요"])
    )
    if not negated and ending.startswith("고") and not good:
        ending = "고 다시는 안 와요"
    opening = rng.choice(["", "친구랑 갔는데 ", "솔직히 ", "기대했는데 ", "주말에 보니 "])
    return {"text": f"{opening}{rng.choice(PLACES)} {stem}{ending}", "label": "긍정" if good != negated else "부정"}


def topics(rng: random.Random) -> Row:
    """Return a headline with two words of its topic and one of another."""
    topic, other = rng.sample(list(TOPICS), 2)
    words = [*rng.sample(_words(TOPICS[topic]), 2), rng.choice(_words(TOPICS[other]))]
    rng.shuffle(words)
    ending = rng.choice(["논란 커져", "올해 첫 공개", "전망 엇갈려", "관심 집중", "다시 주목"])
    return {"제목": f"{' '.join(words)} {ending}", "분류": topic}


def _event(rng: random.Random) -> list[str]:
    return [rng.choice(words) for words in (WHO, WHEN, WHERE, WHAT, DID)]


def _told(event: list[str]) -> str:
    return " ".join([event[0] + _particle(event[0][-1], "가"), *event[1:]])


def inference(rng: random.Random) -> Row:
    """Return a premise and a hypothesis that leaves out, changes or adds something."""
    event, label = _event(rng), rng.choice(["함의", "모순", "중립"])
    part = rng.choice([1, 2])
    if label == "함의":
        told = _told(event[:part] + event[part + 1 :])
    elif label == "모순":
        told = _told([*event[:4], rng.choice([did for did in DID if did != event[4]])]) + rng.choice(["", " 그랬다"])
    else:
        told = _told(event[:part] + event[part + 1 :]) + rng.choice(
            [" 그리고 집에 갔다", " 그래서 기뻤다", " 비가 왔다"]
        )
    return {"premise": _told(event), "hypothesis": told, "gold_label": label}


def similarity(rng: random.Random) -> Row:
    """Return two sentences, of which 0 to 5 parts differ, with a score from 0 to 5."""
    event, other = _event(rng), _event(rng)
    changed = set(rng.sample(range(5), rng.randrange(6)))
    second = [other[i] if i in changed else part for i, part in enumerate(event)]
    differing = sum(a != b for a, b in zip(event, second, strict=True))
    score = min(5.0, max(0.0, 5 - differing + rng.uniform(-0.3, 0.3)))
    return {"sentence1": _told(event), "sentence2": _told(second), "score": round(score, 1)}


def entities(rng: random.Random) -> Row:
    """Return a sentence with persons, places and organisations, and particles after them."""
    text, found = "", []
    for piece in rng.choice(SENTENCES).replace("}", "{").split("{"):
        kind = {"PS": lambda: rng.choice(FAMILY) + rng.choice(GIVEN) + rng.choice(GIVEN)}
        kind |= {"LC": lambda: rng.choice(CITIES), "OG": lambda: rng.choice(FIRMS)}
        if piece in kind:
            name = kind[piece]()
            found.append([len(text), len(text) + len(name), piece])
            text += name
        elif piece in PARTICLES:
            text += _particle(text[-1], piece)
        else:
            text += piece
    return {"text": text, "entities": found}


def _particle(before: str, name: str) -> str:
    final = (ord(before) - 0xAC00) % 28
    if name == "로":
        return "으로" if final not in {0, 8} else "로"
    return PARTICLES[name][0 if final else 1]


def write_csv(path: Path, rows: Iterable[Row]) -> None:
    """Write rows as a spreadsheet exports them."""
    rows = list(rows)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_jsonl(path: Path, rows: Iterable[Row]) -> None:
    """Write a JSON object a line."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


KINDS: dict[str, tuple[str, Callable[[random.Random], Row], str]] = {
    "stars": ("classification", stars, "csv"),
    "reviews": ("classification", reviews, "csv"),
    "topics": ("classification", topics, "csv"),
    "inference": ("pair", inference, "csv"),
    "similarity": ("similarity", similarity, "csv"),
    "entities": ("ner", entities, "jsonl"),
}
"""Name -> task, function that makes a row, format."""
COLUMNS = {
    "stars": {"text_column": "후기", "label_column": "별점"},
    "topics": {"text_column": "제목", "label_column": "분류"},
}


def write_corpus(name: str, folder: Path, *, train: int = 500, test: int = 400, seed: int = 0) -> Path:
    """Write train and test files of a kind into a folder, and return it."""
    _, make, suffix = KINDS[name]
    rng = random.Random(f"{name} {seed}")
    folder.mkdir(parents=True, exist_ok=True)
    for split, number in (("train", train), ("test", test)):
        rows = [make(rng) for _ in range(number)]
        (write_csv if suffix == "csv" else write_jsonl)(folder / f"{split}.{suffix}", rows)
    return folder
