// Views of predictions: each has a `kind`, drawn by the function of that name. No task is named here.
import { bars, cut, drawing, element, percent } from "./dom.js";

const GLOSSES = {
  PS: "인물", PER: "인물", LC: "장소", LOC: "장소", OG: "기관", ORG: "기관", DT: "날짜", DAT: "날짜", TI: "시간", TIM: "시간",
  QT: "수량", NOH: "수량", entailment: "함의", contradiction: "모순", neutral: "중립",
};
const withGloss = (label) => (GLOSSES[label] ? `${label} (${GLOSSES[label]})` : label);
const rows = (list, what = (bar) => bar.label) => list.map((bar) => ({ what: what(bar), share: bar.share, chosen: bar.chosen }));
const verdict = (text, share) =>
  element("p", { class: "verdict" }, text, share === undefined ? null : element("small", {}, `확률 ${percent(share)}`));

function drawBars({ chosen, several, threshold, bars: list }) {
  const shown = bars(rows(list, (bar) => withGloss(bar.label)).slice(0, 20), threshold);
  if (!several) return [verdict(withGloss(chosen[0]), list.find((bar) => bar.chosen)?.share), shown];
  const head = chosen.length
    ? element("div", { class: "chips" }, ...chosen.map((label) => element("span", { class: "chip" }, withGloss(label))))
    : verdict("해당하는 레이블이 없습니다");
  const note = threshold === null ? null : element("p", { class: "note" }, `세로줄은 기준 확률 ${percent(threshold)}입니다. 이 값 이상인 레이블을 모두 고릅니다.`);
  return [head, shown, note];
}

function drawSpans({ text, spans, headline, bars: list }, { labels }) {
  return headline === null ? drawLabelledSpans(text, spans, labels) : drawFoundSpan(text, spans, headline, list);
}

function drawLabelledSpans(text, spans, labels) {
  const coloured = (tag, label, ...children) => {
    const made = element(tag, { class: "hue" }, ...children);
    made.style.setProperty("--hue", Math.round((360 * labels.indexOf(label)) / Math.max(1, labels.length)) + 215);
    return made;
  };
  const parts = cut(text, spans);
  const passage = element("p", { class: "passage" }, ...parts.map(([part, span]) => {
    if (!span) return part;
    const marked = coloured("mark", span.label, part, element("span", { class: "tag" }, span.label));
    marked.title = `${withGloss(span.label)}, 확률 ${percent(span.share)}`;
    return marked;
  }));
  if (!spans.length) return [passage, element("p", { class: "note" }, "찾은 것이 없습니다.")];
  const counts = new Map();
  for (const { label } of spans) counts.set(label, (counts.get(label) ?? 0) + 1);
  const legend = element("ul", { class: "legend" }, ...[...counts].map(([label, count]) =>
    element("li", {}, coloured("i", label), `${withGloss(label)} ${count}개`)));
  const found = parts.filter(([, span]) => span).map(([part, span]) => ({
    what: `${part} · ${GLOSSES[span.label] ?? span.label}`, share: span.share, chosen: true,
  }));
  return [passage, legend, element("h2", {}, "확률"), bars(found)];
}

function drawFoundSpan(text, spans, headline, list) {
  const head = spans.length ? verdict(headline, spans[0].share) : verdict("지문에서 답을 찾지 못했습니다");
  const passage = element("p", { class: "passage" }, ...cut(text, spans).map(([part, span]) => (span ? element("mark", {}, part) : part)));
  const others = list.length
    ? element("div", { class: "columns" }, element("div", {}, element("h2", {}, "답의 후보"), bars(rows(list))))
    : null;
  return [head, passage, others];
}

function drawBlanks({ parts, blanks }) {
  const marks = blanks.map(() => element("mark", { class: "blank" }));
  const fill = (i, token) => { marks[i].textContent = token.replace(/^##/, ""); };
  const passage = element("p", { class: "passage" }, parts[0], ...marks.flatMap((mark, i) => [mark, parts[i + 1]]));
  const columns = blanks.map((candidates, i) => {
    fill(i, candidates[0].label);
    const buttons = rows(candidates, ({ label }) => element("button", { type: "button", onclick: () => fill(i, label) }, label));
    return element("div", {}, element("h2", {}, blanks.length > 1 ? `${i + 1}번째 빈칸` : "빈칸에 들어갈 말"), bars(buttons));
  });
  return [passage, element("div", { class: "columns" }, ...columns), element("p", { class: "note" }, "후보를 누르면 문장에 넣어 볼 수 있습니다.")];
}

export function drawText({ given, texts }) {
  return texts.map((text) => element("p", { class: "written" }, element("span", { class: "given" }, given), element("b", {}, text)));
}

const LIKENESS = [[0.2, "거의 관계가 없는 문장입니다"], [0.4, "주제만 조금 겹칩니다"], [0.6, "어느 정도 비슷합니다"], [0.8, "꽤 비슷합니다"], [Infinity, "뜻이 거의 같습니다"]];

function drawGauge({ value, lowest, highest }) {
  const share = Math.min(1, Math.max(0, (value - lowest) / (highest - lowest)));
  const length = Math.PI * 80;
  const arc = "M 20 105 A 80 80 0 0 1 180 105";
  const front = drawing("path", { class: "front", d: arc, "stroke-dasharray": `${length * share} ${length * 2}` });
  const label = (x, y, text, kind) => drawing("text", { x, y, class: kind }, text);
  return [
    drawing("svg", { class: "gauge", viewBox: "0 0 200 128", role: "img", "aria-label": `유사도 ${value.toFixed(2)}` },
      drawing("path", { class: "back", d: arc }), ...(share > 0 ? [front] : []), label(100, 98, value.toFixed(2), "score"),
      label(20, 126, lowest, "end"), label(180, 126, highest, "end")),
    element("p", { class: "verdict centred" }, LIKENESS.find(([most]) => share < most)[1]),
    element("p", { class: "note centred" }, `${lowest}점은 아무 관계가 없음, ${highest}점은 같은 뜻입니다.`),
  ];
}

// Words coloured by their part in a decision: for it in one colour, against it in another.
export function drawExplanations(explanations) {
  if (!explanations.length) return [element("p", { class: "note" }, "찾은 것이 없어 설명할 판단이 없습니다.")];
  return explanations.flatMap((own) => drawExplanation(own, explanations.length > 1));
}

function drawExplanation({ target, words, error }, several) {
  const largest = Math.max(...words.map(({ weight }) => Math.abs(weight)), 1e-9);
  const coloured = ({ text, weight }) => {
    const made = element("span", { class: weight < 0 ? "word against" : "word" }, text);
    made.style.setProperty("--strength", `${Math.round((65 * Math.abs(weight)) / largest)}%`);
    made.title = `${weight < 0 ? "" : "+"}${weight.toFixed(3)}`;
    return made;
  };
  const fields = [...new Set(words.map(({ field }) => field))];
  const passages = fields.map((field) => element("p", { class: "passage" },
    ...words.filter((word) => word.field === field).flatMap((word) => [coloured(word), " "])));
  return [
    element("h2", {}, several ? `판단의 근거: ${withGloss(target)}` : "판단의 근거"), ...passages,
    element("p", { class: "note" }, element("span", { class: "word sample" }, "파란색"), ` 말은 ‘${withGloss(target)}’ 쪽으로, `,
      element("span", { class: "word sample against" }, "붉은색"), ` 말은 그 반대쪽으로 판단을 옮겼습니다(적분 기울기, 완전성 오차 ${percent(error)}).`),
  ];
}

const drawFields = (fields) => [element("pre", {}, JSON.stringify(fields, null, 2))];

const DRAW = {
  bars: drawBars, spans: drawSpans, blanks: drawBlanks, text: drawText, gauge: drawGauge, fields: ({ fields }) => drawFields(fields),
};

export function draw(view, model) {
  return Object.hasOwn(DRAW, view.kind) ? DRAW[view.kind](view, model) : drawFields(view);
}
