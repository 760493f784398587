// The page: what is typed goes to the API, what comes back is shown. Addresses are relative: a proxy may put a path before.
import { element } from "./dom.js";
import { viewOf, written } from "./views.js";

const at = (id) => document.getElementById(id);

const OPTIONS = {
  threshold: "기준값", n_best: "견줄 후보 수", max_answer_length: "답의 최대 길이(토큰)", null_threshold: "답 없음 기준", candidates: "보일 후보 수",
  max_new_tokens: "쓸 길이(토큰)", min_new_tokens: "최소 길이(토큰)", sample: "무작위로 뽑기", temperature: "온도", top_k: "top-k", top_p: "top-p",
  repetition_penalty: "반복 벌점", no_repeat_ngram_size: "반복을 막을 길이", num_beams: "빔 수", continuations: "쓸 글의 수", generation_seed: "난수 씨앗",
};
const METRICS = {
  accuracy: "정확도", macro_f1: "매크로 F1", micro_f1: "마이크로 F1", subset_accuracy: "모두 맞힌 비율", entity_f1: "개체 F1", entity_precision: "정밀도", entity_recall: "재현율",
  pearson: "피어슨", spearman: "스피어만", f1_at_threshold: "기준값 F1", char_f1: "글자 F1", korquad_em: "KorQuAD EM", korquad_f1: "KorQuAD F1", perplexity: "퍼플렉시티", loss: "손실",
};
const REFUSALS = {
  400: "요청을 읽지 못했습니다.", 403: "이 주소로는 쓸 수 없습니다.", 413: "글이 너무 깁니다.", 422: "입력을 다시 살펴봐 주세요.",
  500: "서버에서 문제가 생겼습니다.", 503: "지금은 요청이 많습니다. 잠시 뒤에 다시 해 보세요.",
};

let model, view, busy = null;

class Refusal extends Error {
  constructor(message, error = null) {
    super(message);
    this.error = error;
  }
}

function describe() {
  document.title = `${model.name} · ${view.kind}`;
  at("kind").textContent = view.kind;
  at("name").textContent = model.name;
  at("lead").textContent = view.lead;
  const facts = [["체크포인트", model.checkpoint], ["학습 자료", model.corpus]].filter(([, value]) => value && value !== model.name);
  const numbers = Object.entries(model.metrics).slice(0, 3).map(([name, value]) => [METRICS[name] ?? name, value.toFixed(value < 10 ? 3 : 1)]);
  const split = model.split && numbers.length ? [["평가", { test: "테스트", validation: "검증" }[model.split]]] : [];
  at("metrics").append(...[...facts, ...split, ...numbers].map(([name, value]) =>
    element("div", {}, element("dt", {}, name), element("dd", {}, value))));
}

function addFields() {
  for (const name of model.fields) {
    const { label, hint = "", rows = 3 } = view.fields[name] ?? { label: name };
    const count = element("span", { class: "count", id: `count-${name}` });
    const box = element("textarea", { id: name, name, rows, placeholder: hint, spellcheck: "false", "aria-describedby": `count-${name}`, oninput: () => tally(name) });
    at("fields").append(element("div", { class: "field" },
      element("div", { class: "field-head" }, element("label", { for: name }, label), count), box));
  }
  if (view.insert) {
    const insert = element("button", { type: "button", class: "plain", id: "insert", onclick: () => insertAtCaret(at(model.fields[0]), view.insert) }, "빈칸 넣기");
    at("send").after(insert);
  }
}

function insertAtCaret(box, text) {
  box.setRangeText(text, box.selectionStart, box.selectionEnd, "end");
  box.focus();
  tally(box.name);
}

function tally(name) {
  const length = Array.from(at(name).value).length;
  at(`count-${name}`).textContent = length ? `${length.toLocaleString()} / ${model.max_text_chars.toLocaleString()}자` : "";
}

function addOptions() {
  at("options").hidden = !model.options.length;
  for (const { name, default: value, most, description } of model.options) {
    const id = `option-${name}`;
    const control = typeof value === "boolean"
      ? element("select", { id }, element("option", { value: "" }, `기본값 (${value ? "예" : "아니요"})`), element("option", { value: "true" }, "예"), element("option", { value: "false" }, "아니요"))
      : element("input", { id, type: "number", step: "any", max: most, placeholder: value === null ? "정하지 않음" : value });
    control.title = description ?? "";
    at("option-fields").append(element("div", {}, element("label", { for: id }, OPTIONS[name] ?? name), control));
  }
}

function addExamples() {
  at("examples").parentElement.hidden = !view.examples.length;
  for (const texts of view.examples) {
    const shown = texts.length > 1 && texts[1].length < 40 ? texts.join(" / ") : texts[0];
    at("examples").append(element("button", { type: "button", onclick: () => { fill(texts); send(); } }, shown));
  }
}

function fill(texts) {
  model.fields.forEach((name, i) => {
    at(name).value = texts[i] ?? "";
    tally(name);
  });
}

// The form of a particle behind a word: by whether its last syllable ends in a consonant.
function particle(word, closed, open) {
  const last = word.charCodeAt(word.length - 1) - 0xac00;
  return last >= 0 && last < 11172 && last % 28 ? closed : open;
}

function readInput() {
  const input = Object.fromEntries(model.fields.map((name) => [name, at(name).value]));
  for (const name of model.fields) {
    const label = view.fields[name]?.label ?? name;
    if (!input[name].trim()) throw empty(name, `${label}${particle(label, "을", "를")} 적어 주세요.`);
    if (Array.from(input[name]).length > model.max_text_chars) throw empty(name, `${label}${particle(label, "이", "가")} 너무 깁니다. ${model.max_text_chars.toLocaleString()}자까지 쓸 수 있습니다.`);
  }
  const wrong = view.check?.(input);
  if (wrong) throw empty(model.fields[0], wrong);
  return input;
}

function empty(name, message) {
  at(name).focus();
  return new Refusal(message);
}

function readOptions() {
  const out = {};
  for (const { name, default: value } of model.options) {
    const said = at(`option-${name}`).value;
    if (said !== "") out[name] = typeof value === "boolean" ? said === "true" : Number(said);
  }
  return out;
}

async function post(path, body, signal) {
  let response;
  try {
    response = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal("서버에 연결하지 못했습니다. 서버가 켜져 있는지 확인해 주세요.");
  }
  if (!response.ok) {
    const told = await response.json().catch(() => ({}));
    throw new Refusal(REFUSALS[response.status] ?? `서버가 거절했습니다(${response.status}).`, told.error);
  }
  return response;
}

async function send() {
  busy?.abort();
  const control = (busy = new AbortController());
  at("error").hidden = true;
  try {
    const input = readInput();
    const options = readOptions();
    const body = Object.keys(options).length ? { ...input, options } : input;
    working(true);
    showCall(body);
    const streamed = model.streams && !(options.continuations > 1 || options.num_beams > 1);
    if (streamed) await showStream(input, body, control.signal);
    else {
      show(element("p", { class: "busy" }, view.busy ?? "살펴보는 중…"));
      const row = await (await post("api", body, control.signal)).json();
      show(...view.show(row, { input, model, options }));
    }
  } catch (error) {
    if (error.name !== "AbortError") refuse(error);
  } finally {
    if (busy === control) working(false);
  }
}

async function showStream(input, body, signal) {
  const line = written(input[model.fields[0]], "");
  line.classList.add("writing");
  at("stop").hidden = false;
  try {
    const response = await post("api/stream", body, signal);
    show(line);
    for await (const { name, data } of events(response.body)) {
      if (name === "error") throw new Refusal(REFUSALS[500], data.error);
      if (data.text) line.lastChild.textContent += data.text;
    }
    if (!line.lastChild.textContent) at("result").append(element("p", { class: "note" }, "모델이 더 쓸 말이 없다고 합니다."));
  } finally {
    line.classList.remove("writing");
  }
}

async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const parts = Object.fromEntries(block.split("\n").map((line) => [line.split(": ", 1)[0], line.slice(line.indexOf(": ") + 2)]));
      yield { name: parts.event, data: JSON.parse(parts.data) };
    }
  }
}

function working(is) {
  at("send").disabled = is;
  at("send").textContent = is ? view.busy ?? "살펴보는 중…" : view.action;
  if (!is) at("stop").hidden = true;
  at("result").setAttribute("aria-busy", is);
}

function show(...parts) {
  at("result").replaceChildren(...parts.filter((part) => part != null));
  at("result").hidden = false;
}

function refuse(error) {
  console.debug(error);
  const known = error instanceof Refusal;
  const told = known ? error.error : null;
  const lines = [known ? error.message : "결과를 보여 주지 못했습니다."];
  if (told) {
    lines.push([told.place, told.problem].filter(Boolean).join(": "));
    if (told.expected) lines.push(`알맞은 값: ${told.expected}`);
    if (told.fix) lines.push(`고치는 법: ${told.fix}`);
  }
  at("error").replaceChildren(...lines.map((line) => element("p", {}, line)));
  at("error").hidden = false;
  if (at("result").getAttribute("aria-busy") === "true" && at("result").querySelector(".busy")) at("result").hidden = true;
}

function showCall(body) {
  const quoted = JSON.stringify(body).replaceAll("'", "'\\''");
  at("curl").textContent = `curl ${new URL("api", document.baseURI)} \\\n  -H 'Content-Type: application/json' \\\n  -d '${quoted}'`;
  at("call").hidden = false;
}

async function begin() {
  model = await (await fetch("model")).json();
  view = viewOf(model.task);
  describe();
  addFields();
  addOptions();
  addExamples();
  working(false);
  at("form").addEventListener("submit", (event) => { event.preventDefault(); send(); });
  at("stop").addEventListener("click", () => busy?.abort());
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "Enter" && !at("send").disabled) { event.preventDefault(); send(); }
  });
  at(model.fields[0]).focus();
}

begin().catch(refuse);
