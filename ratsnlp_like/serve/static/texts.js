// Korean texts of the page. A task without texts of its own gets GENERIC, and the labels of fields by their names.
const MASK = "[MASK]";
const TEXT = { label: "문장", hint: "문장을 입력하거나 아래 예문을 눌러 보세요", rows: 3 };
const FIRST = { ...TEXT, label: "첫째 문장", rows: 2 };
const SECOND = { label: "둘째 문장", hint: "비교할 문장을 입력해 주세요", rows: 2 };
const PROMPT = { label: "앞부분", hint: "이어서 쓸 글의 앞부분을 입력해 주세요", rows: 3 };
const FIELDS = {
  text: TEXT, text_pair: SECOND, prompt: PROMPT,
  question: { label: "질문", hint: "예: 언제 문을 열었나요?", rows: 1 },
  context: { label: "지문", hint: "답이 들어 있는 글을 붙여 넣어 주세요", rows: 5 },
};
const WRITING = {
  action: "이어 쓰기", busy: "생성하는 중…", lead: "앞부분을 입력하면 모델이 이어서 씁니다.", fields: { text: PROMPT },
  examples: [["오늘 아침 창문을 열었더니"], ["이 영화는"], ["배우들의 연기가"]],
};
const LIBRARY = "달빛도서관은 2011년 봄에 문을 열었다. 관장인 윤서아는 폐교를 고쳐 마을 사람 누구나 밤늦게까지 책을 읽을 수 있게 했다. 지금은 책 3만 권이 있다.";

const TASKS = {
  classification: {
    kind: "문서 분류", lead: "글이 어느 범주에 속하는지 분류합니다.", action: "분류하기",
    examples: [["포장도 꼼꼼하고 맛도 기대 이상이에요"], ["두 시간을 기다렸는데 음식이 다 식어서 왔어요"], ["가격은 싼데 금방 고장 났어요"]],
  },
  pair: {
    kind: "문장 쌍 분류", lead: "두 문장의 관계를 분류합니다.", action: "관계 분류하기", fields: { text: FIRST },
    examples: [["지수는 아침마다 강가를 달린다.", "지수는 운동을 한다."], ["가게는 월요일에 문을 닫는다.", "가게는 날마다 연다."], ["삼촌은 서점에서 일한다.", "삼촌은 시를 좋아한다."]],
  },
  similarity: {
    kind: "문장 유사도", lead: "두 문장의 뜻이 얼마나 비슷한지 점수로 나타냅니다.", action: "비교하기", fields: { text: FIRST },
    examples: [["버스가 늦게 와서 지각했어요.", "버스를 오래 기다리다 늦었어요."], ["강아지가 마당에서 논다.", "고양이가 지붕에서 잔다."], ["국이 짜다.", "내일은 회의가 있다."]],
  },
  ner: {
    kind: "개체명 인식", lead: "사람, 장소, 기관 등의 이름을 문장에서 찾습니다.", action: "이름 찾기",
    examples: [["김하린은 내일 부산에서 누리전자 직원 30명을 만난다."], ["한결대학교는 5월 3일 대전에 새 도서관을 연다."], ["박도현이 서울에서 강연을 했다."]],
  },
  "question-answering": {
    kind: "질의응답", lead: "지문에서 질문의 답을 찾습니다.", action: "답 찾기",
    examples: [
      ["달빛도서관은 언제 문을 열었나?", LIBRARY], ["관장은 누구인가?", LIBRARY],
      ["축제는 어디에서 열리나?", "해마다 가을이면 은빛강 둔치에서 연날리기 축제가 열린다. 올해는 열두 나라에서 온 연이 하늘을 수놓았다."],
    ],
  },
  generation: { ...WRITING, kind: "문장 생성" },
  "causal-lm": { ...WRITING, kind: "문장 이어 쓰기" },
  "masked-lm": {
    kind: "빈칸 채우기", lead: `${MASK}로 비워 둔 자리에 들어갈 말을 예측합니다.`, action: "빈칸 채우기", insert: MASK,
    fields: { text: { ...TEXT, hint: `예: 이 영화 정말 ${MASK}!` } },
    examples: [["이 영화는 정말 [MASK]"], ["배우들의 [MASK]가 좋았다"], ["[MASK]은 좋은데 [MASK]가 아쉽다"]],
  },
};

const GENERIC = { lead: "", action: "예측하기", busy: "처리하는 중…", insert: null };

export function textsOf(model) {
  const own = Object.hasOwn(TASKS, model.task) ? TASKS[model.task] : { kind: model.task, examples: [model.example] };
  const fields = Object.fromEntries(model.fields.map((name) => [name, own.fields?.[name] ?? (Object.hasOwn(FIELDS, name) ? FIELDS[name] : { label: name })]));
  return { ...GENERIC, ...own, fields };
}

export const OPTIONS = {
  threshold: "기준값", n_best: "비교할 후보 수", max_answer_length: "답의 최대 길이(토큰)", null_threshold: "답 없음 기준", candidates: "표시할 후보 수",
  max_new_tokens: "최대 생성 길이(토큰)", min_new_tokens: "최소 생성 길이(토큰)", sample: "무작위 샘플링", temperature: "온도", abstain: "판단을 보류할 확률", offset: "로그 오즈 보정값", top_k: "top-k", top_p: "top-p",
  repetition_penalty: "반복 페널티", no_repeat_ngram_size: "반복을 막을 n-gram 길이", num_beams: "빔 개수", continuations: "생성할 글의 수", generation_seed: "난수 시드",
};

export const METRICS = {
  accuracy: "정확도", macro_f1: "매크로 F1", micro_f1: "마이크로 F1", subset_accuracy: "전체 일치 정확도", entity_f1: "개체명 F1", entity_precision: "정밀도", entity_recall: "재현율",
  pearson: "피어슨 상관계수", spearman: "스피어만 상관계수", f1_at_threshold: "기준값 F1", char_f1: "글자 F1", korquad_em: "KorQuAD EM", korquad_f1: "KorQuAD F1", perplexity: "퍼플렉시티", loss: "손실",
  coverage: "판단한 비율", selective_accuracy: "판단한 글의 정확도",
};

export const REFUSALS = {
  400: "요청을 읽을 수 없습니다.", 403: "이 주소로는 접속할 수 없습니다.", 413: "글이 너무 깁니다.", 422: "입력을 다시 확인해 주세요.",
  500: "서버에 문제가 생겼습니다.", 503: "지금은 요청이 많습니다. 잠시 뒤에 다시 시도해 주세요.",
};
