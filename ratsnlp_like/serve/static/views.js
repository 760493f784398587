// How the input and the answer of each kind of model look. A task that is not listed gets GENERIC.
import { bars, cut, drawing, element, percent } from "./dom.js";

const GLOSSES = {
  PS: "인물", PER: "인물", LC: "장소", LOC: "장소", OG: "기관", ORG: "기관", DT: "날짜", DAT: "날짜", TI: "시간", TIM: "시간",
  QT: "수량", NOH: "수량", entailment: "함의", contradiction: "모순", neutral: "중립",
};
const named = (label) => (GLOSSES[label] ? `${label} (${GLOSSES[label]})` : label);

const byShare = (scores) => Object.entries(scores).sort((a, b) => b[1] - a[1]);

function classes(row, { model, options }) {
  const several = Array.isArray(row.label);
  const chosen = several ? row.label : [row.label];
  const head = several
    ? chosen.length
      ? element("div", { class: "chips" }, ...chosen.map((label) => element("span", { class: "chip" }, named(label))))
      : element("p", { class: "verdict" }, "해당하는 것이 없습니다")
    : element("p", { class: "verdict" }, named(row.label), element("small", {}, `확률 ${percent(row.score)}`));
  const line = several ? options.threshold ?? model.settings.threshold : null;
  const rows = byShare(row.scores).map(([label, share]) => ({ what: named(label), share, chosen: chosen.includes(label) }));
  const note = several ? element("p", { class: "note" }, `세로줄은 기준 확률 ${percent(line)}입니다. 이 선을 넘은 것을 모두 고릅니다.`) : null;
  return [head, bars(rows.slice(0, 20), line), note];
}

function entities(row, { input, model }) {
  const hue = (label) => Math.round((360 * model.labels.indexOf(label)) / Math.max(1, model.labels.length)) + 215;
  const coloured = (tag, label, ...children) => {
    const made = element(tag, { class: "hue" }, ...children);
    made.style.setProperty("--hue", hue(label));
    return made;
  };
  const passage = element("p", { class: "passage" }, ...cut(input.text, row.entities).map(([part, entity]) => {
    if (!entity) return part;
    const marked = coloured("mark", entity.label, part, element("span", { class: "tag" }, entity.label));
    marked.title = `${named(entity.label)}, 확률 ${percent(entity.score)}`;
    return marked;
  }));
  if (!row.entities.length) return [passage, element("p", { class: "note" }, "찾은 개체명이 없습니다.")];
  const counts = new Map();
  for (const { label } of row.entities) counts.set(label, (counts.get(label) ?? 0) + 1);
  const legend = element("ul", { class: "legend" }, ...[...counts].map(([label, count]) =>
    element("li", {}, coloured("i", label), `${named(label)} ${count}개`)));
  const rows = row.entities.map((entity) => ({
    what: `${entity.text} · ${GLOSSES[entity.label] ?? entity.label}`, share: entity.score, chosen: true,
  }));
  return [passage, legend, element("h2", {}, "얼마나 확신하는지"), bars(rows)];
}

function answer(row, { input }) {
  const found = row.end > row.start;
  const head = found
    ? element("p", { class: "verdict" }, row.answer, element("small", {}, `확률 ${percent(row.score)}`))
    : element("p", { class: "verdict" }, "지문에서 답을 찾지 못했습니다");
  const passage = element("p", { class: "passage" },
    ...cut(input.context, found ? [row] : []).map(([part, span]) => (span ? element("mark", {}, part) : part)));
  const rows = row.candidates.map((other) => ({
    what: other.text, share: other.score, chosen: found && other.start === row.start && other.end === row.end,
  }));
  const others = rows.length ? element("div", { class: "columns" }, element("div", {}, element("h2", {}, "답의 후보"), bars(rows))) : null;
  return [head, passage, others];
}

const LIKENESS = [[0.2, "거의 관계가 없는 문장입니다"], [0.4, "주제만 조금 겹칩니다"], [0.6, "어느 정도 비슷합니다"], [0.8, "꽤 비슷합니다"], [Infinity, "뜻이 거의 같습니다"]];

function gauge(row, { model }) {
  const { lowest = 0, highest = 1 } = model.settings;
  const share = Math.min(1, Math.max(0, (row.score - lowest) / (highest - lowest)));
  const length = Math.PI * 80;
  const arc = "M 20 105 A 80 80 0 0 1 180 105";
  const front = drawing("path", { class: "front", d: arc, "stroke-dasharray": `${length * share} ${length * 2}` });
  const label = (x, y, text, kind) => drawing("text", { x, y, class: kind }, text);
  return [
    drawing("svg", { class: "gauge", viewBox: "0 0 200 128", role: "img", "aria-label": `유사도 ${row.score.toFixed(2)}` },
      drawing("path", { class: "back", d: arc }), ...(share > 0 ? [front] : []), label(100, 98, row.score.toFixed(2), "score"),
      label(20, 126, lowest, "end"), label(180, 126, highest, "end")),
    element("p", { class: "verdict said" }, LIKENESS.find(([most]) => share < most)[1]),
    element("p", { class: "note said" }, `${lowest}점은 아무 관계가 없음, ${highest}점은 같은 뜻입니다.`),
  ];
}

const MASK = "[MASK]";

function filled(row, { input }) {
  const parts = input.text.split(MASK);
  const blanks = parts.slice(1).map(() => element("mark", { class: "blank" }));
  const show = (i, token) => { blanks[i].textContent = token.replace(/^##/, ""); };
  const passage = element("p", { class: "passage" }, parts[0], ...blanks.flatMap((blank, i) => [blank, parts[i + 1]]));
  const columns = row.candidates.map((candidates, i) => {
    show(i, candidates[0].token);
    const rows = candidates.map(({ token, score }, k) => ({
      what: element("button", { type: "button", onclick: () => show(i, token) }, token), share: score, chosen: k === 0,
    }));
    return element("div", {}, element("h2", {}, row.candidates.length > 1 ? `${i + 1}번째 빈칸` : "빈칸에 올 말"), bars(rows));
  });
  return [passage, element("div", { class: "columns" }, ...columns), element("p", { class: "note" }, "후보를 누르면 문장에 넣어 봅니다.")];
}

export function written(given, text) {
  return element("p", { class: "written" }, element("span", { class: "given" }, given), element("b", {}, text));
}

const continuations = (row, { input, model }) => row.continuations.map((text) => written(input[model.fields[0]], text));

const json = (row) => [element("pre", {}, JSON.stringify(row, null, 2))];

const TEXT = { label: "문장", hint: "문장을 적거나 아래 예문을 눌러 보세요", rows: 3 };
const WRITING = {
  show: continuations, action: "이어 쓰기", busy: "쓰는 중…",
  lead: "앞부분을 주면 모델이 이어서 씁니다.",
  examples: [["오늘 아침 창문을 열었더니"], ["이 영화는"], ["배우들의 연기가"]],
};

const VIEWS = {
  classification: {
    kind: "문서 분류", lead: "글이 어느 갈래에 드는지 알아봅니다.", fields: { text: TEXT }, action: "분류하기", show: classes,
    examples: [["포장도 꼼꼼하고 맛도 기대 이상이에요"], ["두 시간을 기다렸는데 음식이 다 식어서 왔어요"], ["가격은 싼데 금방 고장 났어요"]],
  },
  pair: {
    kind: "문장 쌍 분류", lead: "두 문장이 어떤 관계인지 알아봅니다.", action: "관계 알아보기", show: classes,
    fields: { text: { ...TEXT, label: "첫째 문장", rows: 2 }, text_pair: { ...TEXT, label: "둘째 문장", hint: "견주어 볼 문장을 적어 주세요", rows: 2 } },
    examples: [["지수는 아침마다 강가를 달린다.", "지수는 운동을 한다."], ["가게는 월요일에 문을 닫는다.", "가게는 날마다 연다."], ["삼촌은 서점에서 일한다.", "삼촌은 시를 좋아한다."]],
  },
  similarity: {
    kind: "문장 유사도", lead: "두 문장의 뜻이 얼마나 비슷한지 잽니다.", action: "견주어 보기", show: gauge,
    fields: { text: { ...TEXT, label: "첫째 문장", rows: 2 }, text_pair: { ...TEXT, label: "둘째 문장", hint: "견주어 볼 문장을 적어 주세요", rows: 2 } },
    examples: [["버스가 늦게 와서 지각했어요.", "버스를 오래 기다리다 늦었어요."], ["강아지가 마당에서 논다.", "고양이가 지붕에서 잔다."], ["국이 짜다.", "내일은 회의가 있다."]],
  },
  ner: {
    kind: "개체명 인식", lead: "사람, 장소, 기관 같은 이름을 문장에서 찾습니다.", fields: { text: TEXT }, action: "이름 찾기", show: entities,
    examples: [["김하린은 내일 부산에서 누리전자 직원 30명을 만난다."], ["한결대학교는 5월 3일 대전에 새 도서관을 연다."], ["박도현이 서울에서 강연을 했다."]],
  },
  "question-answering": {
    kind: "질의응답", lead: "지문을 읽고 질문에 맞는 답을 찾습니다.", action: "답 찾기", show: answer,
    fields: { question: { label: "질문", hint: "예: 언제 문을 열었나요?", rows: 1 }, context: { label: "지문", hint: "답이 들어 있을 글을 붙여 넣어 주세요", rows: 5 } },
    examples: [
      ["달빛도서관은 언제 문을 열었나?", "달빛도서관은 2011년 봄에 문을 열었다. 관장인 윤서아는 폐교를 고쳐 마을 사람 누구나 밤늦게까지 책을 읽을 수 있게 했다. 지금은 책 3만 권이 있다."],
      ["관장은 누구인가?", "달빛도서관은 2011년 봄에 문을 열었다. 관장인 윤서아는 폐교를 고쳐 마을 사람 누구나 밤늦게까지 책을 읽을 수 있게 했다. 지금은 책 3만 권이 있다."],
      ["축제는 어디에서 열리나?", "해마다 가을이면 은빛강 둔치에서 연날리기 축제가 열린다. 올해는 열두 나라에서 온 연이 하늘을 수놓았다."],
    ],
  },
  generation: { ...WRITING, kind: "문장 생성", fields: { prompt: { ...TEXT, label: "앞부분", hint: "이어서 쓸 글의 앞부분을 적어 주세요" } } },
  "causal-lm": { ...WRITING, kind: "문장 이어 쓰기", fields: { text: { ...TEXT, label: "앞부분", hint: "이어서 쓸 글의 앞부분을 적어 주세요" } } },
  "masked-lm": {
    kind: "빈칸 채우기", lead: `${MASK}로 비워 둔 자리에 올 말을 맞힙니다.`, action: "빈칸 채우기", show: filled, insert: MASK,
    fields: { text: { ...TEXT, hint: `예: 이 영화 정말 ${MASK}!` } },
    examples: [["이 영화는 정말 [MASK]"], ["배우들의 [MASK]가 좋았다"], ["[MASK]은 좋은데 [MASK]가 아쉽다"]],
    check: (input) => (input.text.includes(MASK) ? null : `글에 빈칸 ${MASK}가 하나는 있어야 합니다.`),
  },
};

const GENERIC = { kind: "모델", lead: "", fields: {}, action: "물어보기", show: json, examples: [] };

export function viewOf(task) {
  return Object.hasOwn(VIEWS, task) ? VIEWS[task] : { ...GENERIC, kind: task };
}
