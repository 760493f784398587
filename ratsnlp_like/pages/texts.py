"""The words of a report, in Korean and in English."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Language = Literal["ko", "en"]

_TEXTS: dict[str, tuple[str, str]] = {
    "title": ("학습 보고서", "Training report"),
    "comparison": ("여러 실행 비교", "Comparison of runs"),
    "errors_title": ("오류 분석", "Error analysis"),
    "made": ("ratsnlp_like {version}로 만듦 · {when}", "Made by ratsnlp_like {version} · {when}"),
    "task": ("과제", "task"),
    "corpus": ("말뭉치", "corpus"),
    "checkpoint": ("체크포인트", "checkpoint"),
    "run": ("실행", "run"),
    "time": ("학습 시간", "training time"),
    "seconds": ("{value}초", "{value} s"),
    "minutes": ("{value}분", "{value} min"),
    "rows": ("문장 수", "rows"),
    "examples": ("예", "examples"),
    "steps": ("스텝", "steps"),
    "learning_rate": ("학습률", "learning rate"),
    "epochs": ("에폭", "epochs"),
    "epochs_of": ("{trained} / {epochs}", "{trained} of {epochs}"),
    "seed": ("시드", "seed"),
    "seeds": ("시드별 점수", "Seeds"),
    "seeds_note": (
        "시드 {best}의 모델이 검증 점수가 가장 높아 best/에 있습니다. 이 보고서의 다른 값은 그 모델의 것입니다.",
        "The model of seed {best} has the best validation score and is in best/; all other figures are its own.",
    ),
    "mean_and_sd": ("평균 ± 표준편차", "mean ± sd"),
    "verdict.better than": ("{metric} {score}: {others}보다 좋습니다.", "{metric} {score} is better than {others}."),
    "verdict.as good as": ("{metric} {score}: {others}와 같습니다.", "{metric} {score} is as good as {others}."),
    "verdict.not significantly better than": (
        "{metric} {score}: {others}보다 좋지만, 유의한 차이는 아닙니다.",
        "{metric} {score} is not significantly better than {others}.",
    ),
    "verdict.no better than": (
        "{metric} {score}: {others}보다 낫지 않습니다.",
        "{metric} {score} is no better than {others}.",
    ),
    "verdict_try": ("시도해 볼 설정: {settings}.", "Try {settings}."),
    "advice.more examples, or another --checkpoint": (
        "더 많은 학습 데이터나 다른 --checkpoint",
        "more examples, or another --checkpoint",
    ),
    "never_predicted": (
        "{names}: 한 번도 예측하지 않습니다. 시도해 볼 설정: {setting}.",
        "{names}: never predicted; try {setting}.",
    ),
    "baselines.the most frequent label": ("가장 흔한 레이블", "the most frequent label"),
    "baselines.TF-IDF and logistic regression": ("TF-IDF와 로지스틱 회귀", "TF-IDF and logistic regression"),
    "baselines.the most frequent tag of each word": ("낱말마다 가장 흔한 태그", "the most frequent tag of each word"),
    "baselines.the mean score": ("평균 점수", "the mean score"),
    "baselines.the unigram distribution": ("유니그램 분포", "the unigram distribution"),
    "baselines.the first word": ("지문의 첫 낱말", "the first word"),
    "scores": ("점수", "Scores"),
    "scores_note": (
        "가로줄은 95% 신뢰 구간입니다. {split} 데이터의 {unit} {units}개를 부트스트랩으로 다시 뽑아 계산했습니다.",
        "Lines are 95% confidence intervals, by bootstrap over {units} {unit} of the {split} split.",
    ),
    "metric": ("지표", "metric"),
    "test": ("시험", "test"),
    "validation": ("검증", "validation"),
    "train": ("학습", "train"),
    "curves": ("학습 곡선", "Learning curves"),
    "loss": ("손실", "loss"),
    "train_loss": ("학습 손실", "training loss"),
    "validation_loss": ("검증 손실", "validation loss"),
    "classes": ("클래스별 성적", "Scores by class"),
    "class": ("클래스", "class"),
    "precision": ("정밀도", "precision"),
    "recall": ("재현율", "recall"),
    "f1": ("F1", "F1"),
    "support": ("정답 수", "support"),
    "worst_of": ("F1이 낮은 {shown}개만 보입니다(모두 {total}개).", "The {shown} with the lowest F1 of {total}."),
    "confusion": ("혼동 행렬", "Confusion matrix"),
    "confusion_note": (
        "행은 정답, 열은 예측입니다. 색이 진할수록 그 정답에서 차지하는 비율이 높습니다.",
        "Rows are gold labels, columns are predictions. Darker cells are a larger share of their row.",
    ),
    "gold_predicted": ("정답 \\ 예측", "gold \\ predicted"),
    "calibration": ("확률 보정", "Calibration"),
    "calibration_note": (
        "점이 대각선 위에 있으면 모델의 확률이 실제 정확도보다 낮고(과소 확신), 아래에 있으면 높습니다(과신). "
        "점의 크기는 예측 수입니다.",
        "Dots above the diagonal are under-confident, dots below it over-confident. Their area is the number of "
        "predictions.",
    ),
    "confidence": ("확률", "confidence"),
    "accuracy": ("정확도", "accuracy"),
    "before": ("보정 전", "before"),
    "after": ("보정 후", "after"),
    "ece": ("보정 오차(ECE)", "calibration error (ECE)"),
    "brier": ("브라이어 점수", "Brier score"),
    "temperature": ("온도", "temperature"),
    "coverage_title": ("정확도를 정하고 답하기", "Answering at a given accuracy"),
    "coverage_note": (
        "확률이 기준보다 낮은 예측을 보류하면 다음 정확도를 얻습니다. 기준을 이 데이터에서 골랐으므로 새 데이터에서는 "
        "정확도가 다를 수 있습니다.",
        "Accuracy where predictions below a probability are left out; the probabilities were chosen on these rows, and "
        "on others the accuracy may differ.",
    ),
    "wanted_accuracy": ("원하는 정확도", "accuracy"),
    "threshold": ("확률 기준", "probability"),
    "coverage": ("답하는 비율", "answered"),
    "slices": ("약한 구간", "Weak slices"),
    "slices_note": (
        "오류율이 나머지보다 높은 구간입니다. p는 피셔의 정확 검정(단측)을 홈 방법으로 보정한 값이고, 0.05보다 작으면 "
        "굵게 표시합니다.",
        "Parts of the data with a higher error rate than the rest. p is Fisher's exact test (one-sided), adjusted by "
        "Holm's method; slices below 0.05 are bold.",
    ),
    "no_slices": (
        "오류율이 나머지보다 높은 구간을 찾지 못했습니다.",
        "No slice has a higher error rate than the rest.",
    ),
    "slice": ("구간", "slice"),
    "error_rate": ("오류율", "error rate"),
    "rest": ("나머지", "rest"),
    "count": ("수", "count"),
    "mistakes": ("틀린 예", "Mistakes"),
    "mistakes_note": (
        "{rows}개 가운데 {wrong}개({share})에 오류가 있습니다. 모델이 가장 확신한 오류부터 {shown}개를 보입니다.",
        "{wrong} of {rows} rows ({share}) have a mistake. {shown} are shown, those with the highest confidence first.",
    ),
    "no_mistakes": ("틀린 예가 없습니다.", "No mistakes."),
    "kinds": ("오류의 종류", "Kinds of mistakes"),
    "gold": ("정답", "gold"),
    "predicted": ("예측", "predicted"),
    "nothing": ("없음", "nothing"),
    "tokens": ("토큰", "tokens"),
    "more_mistakes": ("나머지 {count}개 보기", "Show {count} more"),
    "all_mistakes": (
        "모든 오류를 파일로 받으려면: {command}",
        "All mistakes as a file: {command}",
    ),
    "data": ("말뭉치 점검", "Corpus"),
    "data_part": ("처음 {count}개를 살펴본 결과입니다.", "Of the first {count} rows."),
    "findings.rows": ("행", "rows"),
    "findings.empty": ("빈 행", "empty"),
    "findings.repeated": ("중복된 글", "repeated texts"),
    "findings.with_two_labels": ("레이블이 엇갈린 글", "texts with two labels"),
    "findings.characters": ("글자 수(중앙값 / 99%)", "characters (median / 99%)"),
    "findings.truncated": ("잘린 토큰", "truncated tokens"),
    "overlap": (
        "{first} 데이터의 글 {count}개가 {second} 데이터에도 있습니다.",
        "{count} texts of the {first} split are in the {second} split too.",
    ),
    "labels": ("레이블 분포", "Labels"),
    "settings": ("설정", "Configuration"),
    "defaults": ("모든 설정 보기", "All settings"),
    "environment": ("환경", "Environment"),
    "platform": ("운영 체제", "platform"),
    "device": ("장치", "device"),
    "command": ("같은 설정으로 다시 학습하기", "Train again with these settings"),
    "intervals": ("95% 구간", "95% interval"),
    "score": ("점수", "score"),
    "examples_per_second": ("초당 예", "examples/s"),
    "memory": ("최대 메모리", "peak memory"),
    "precision_of_training": ("연산 정밀도", "precision"),
    "contents": ("차례", "Contents"),
    "place": ("위치", "place"),
    "fields.text": ("글", "text"),
    "fields.text_pair": ("두 번째 글", "second text"),
    "fields.question": ("질문", "question"),
    "fields.context": ("지문", "context"),
    "units.texts": ("글", "texts"),
    "units.pairs": ("문장 쌍", "pairs"),
    "units.sentences": ("문장", "sentences"),
    "units.documents": ("문서", "documents"),
    "kinds.missed": ("놓침", "missed"),
    "kinds.invented": ("없는데 찾음", "invented"),
    "kinds.wrong type": ("유형 틀림", "wrong type"),
    "kinds.boundary": ("경계 틀림", "boundary"),
    "kinds.particle": ("조사 때문에 어긋남", "particle"),
    "kinds.wrong type and boundary": ("유형과 경계 틀림", "wrong type and boundary"),
    "kinds.elsewhere": ("엉뚱한 곳", "elsewhere"),
    "kinds.too long": ("너무 김", "too long"),
    "kinds.too short": ("너무 짧음", "too short"),
    "kinds.too high": ("너무 높음", "too high"),
    "kinds.too low": ("너무 낮음", "too low"),
    "kinds.missing label": ("레이블 빠짐", "missing label"),
    "kinds.extra label": ("레이블 더 붙음", "extra label"),
    "kinds.missing label and extra label": ("레이블 빠지고 더 붙음", "missing label and extra label"),
    "kinds.wrong": ("틀림", "wrong"),
    "slices.length": ("길이(글자)", "length (characters)"),
    "slices.unknown tokens": ("모르는 토큰", "unknown tokens"),
    "slices.label": ("정답 레이블", "gold label"),
    "slices.negation": ("부정 표현", "negation"),
    "slices.particle follows": ("뒤에 조사가 붙음", "particle follows"),
    "slices.jamo (ㅋㅋ, ㅠㅠ)": ("자모(ㅋㅋ, ㅠㅠ)", "jamo (ㅋㅋ, ㅠㅠ)"),
    "slices.Latin words": ("로마자 낱말", "Latin words"),
    "slices.digits": ("숫자", "digits"),
    "slices.missing spaces": ("띄어쓰기 없음", "missing spaces"),
    "slices.file": ("파일", "file"),
    "values.yes": ("있음", "yes"),
    "values.no": ("없음", "no"),
    "values.up to 5%": ("5% 이하", "up to 5%"),
    "values.over 5%": ("5% 초과", "over 5%"),
}


@dataclass(frozen=True)
class Texts:
    """The words of one language."""

    language: Language

    def __call__(self, name: str, **values: object) -> str:
        """Return a text with its values filled in."""
        return _TEXTS[name][0 if self.language == "ko" else 1].format(**values)

    def of(self, group: str, name: str) -> str:
        """Return the text of a name that comes from data; the name itself where there is none."""
        key = f"{group}.{name}" if group else name
        return self(key) if key in _TEXTS else name
