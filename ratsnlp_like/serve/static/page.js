// The page: sends the inputs to the API and draws its predictions. Addresses are relative, for proxies that add a path.
import { element } from "./dom.js";
import { METRICS, OPTIONS, REFUSALS, textsOf } from "./texts.js";
import { draw, drawExplanations, drawText } from "./views.js";

const at = (id) => document.getElementById(id);

let model, texts, busy = null;

class Refusal extends Error {
  constructor(message, error = null) {
    super(message);
    this.error = error;
  }
}

function describe() {
  document.title = `${model.name} · ${texts.kind}`;
  at("kind").textContent = texts.kind;
  at("name").textContent = model.name;
  at("lead").textContent = texts.lead;
  const facts = [["체크포인트", model.checkpoint], ["학습 자료", model.corpus]].filter(([, value]) => value && value !== model.name);
  const numbers = Object.entries(model.metrics).slice(0, 3).map(([name, value]) => [METRICS[name] ?? name, value.toFixed(value < 10 ? 3 : 1)]);
  const split = model.split && numbers.length ? [["평가", { test: "테스트", validation: "검증" }[model.split]]] : [];
  at("metrics").append(...[...facts, ...split, ...numbers].map(([name, value]) =>
    element("div", {}, element("dt", {}, name), element("dd", {}, value))));
}

function addFields() {
  for (const name of model.fields) {
    const { label, hint = "", rows = 3 } = texts.fields[name];
    const count = element("span", { class: "count", id: `count-${name}` });
    const box = element("textarea", { id: name, name, rows, placeholder: hint, spellcheck: "false", "aria-describedby": `count-${name}`, oninput: () => tally(name) });
    at("fields").append(element("div", { class: "field" },
      element("div", { class: "field-head" }, element("label", { for: name }, label), count), box));
  }
  if (texts.insert) {
    const insert = element("button", { type: "button", class: "plain", id: "insert", onclick: () => insertAtCaret(at(model.fields[0]), texts.insert) }, "빈칸 넣기");
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
  at("examples").parentElement.hidden = !texts.examples.length;
  for (const example of texts.examples) {
    const shown = example.length > 1 && example[1].length < 40 ? example.join(" / ") : example[0];
    at("examples").append(element("button", { type: "button", onclick: () => { fill(example); send(); } }, shown));
  }
}

function fill(example) {
  model.fields.forEach((name, i) => {
    at(name).value = example[i] ?? "";
    tally(name);
  });
}

// The form of a particle after a word, which depends on whether its last syllable ends in a consonant.
function particle(word, closed, open) {
  const last = word.charCodeAt(word.length - 1) - 0xac00;
  return last >= 0 && last < 11172 && last % 28 ? closed : open;
}

function readInput() {
  const input = Object.fromEntries(model.fields.map((name) => [name, at(name).value]));
  for (const name of model.fields) {
    const label = texts.fields[name].label;
    if (!input[name].trim()) throw refused(name, `${label}${particle(label, "을", "를")} 입력해 주세요.`);
    if (Array.from(input[name]).length > model.max_text_chars) throw refused(name, `${label}${particle(label, "이", "가")} 너무 깁니다. ${model.max_text_chars.toLocaleString()}자까지 입력할 수 있습니다.`);
  }
  if (texts.insert && !input[model.fields[0]].includes(texts.insert)) throw refused(model.fields[0], `빈칸 ${texts.insert}가 하나 이상 있어야 합니다.`);
  return input;
}

function refused(name, message) {
  at(name).focus();
  return new Refusal(message);
}

function readOptions() {
  const out = {};
  for (const { name, default: value } of model.options) {
    const chosen = at(`option-${name}`).value;
    if (chosen !== "") out[name] = typeof value === "boolean" ? chosen === "true" : Number(chosen);
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
    const content = await response.json().catch(() => ({}));
    throw new Refusal(REFUSALS[response.status] ?? `서버가 요청을 거부했습니다(${response.status}).`, content.error);
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
      show(element("p", { class: "busy" }, texts.busy));
      const { view } = await (await post("api?view=true", body, control.signal)).json();
      show(...draw(view, model), model.explains ? explainer(body) : null);
    }
  } catch (error) {
    if (error.name !== "AbortError") refuse(error);
  } finally {
    if (busy === control) working(false);
  }
}

// A button that is replaced by the words which the decision rests on.
function explainer(body) {
  const box = element("div", { class: "explanation" });
  const button = element("button", { type: "button", class: "plain", id: "explain", onclick: async () => {
    button.disabled = true;
    try {
      const { explanations } = await (await post("api?explain=true", body)).json();
      box.replaceChildren(...drawExplanations(explanations));
    } catch (error) {
      button.disabled = false;
      refuse(error);
    }
  } }, "어떤 말 때문에 이렇게 판단했나요?");
  box.append(button);
  return box;
}

async function showStream(input, body, signal) {
  const [line] = drawText({ given: input[model.fields[0]], texts: [""] });
  line.classList.add("writing");
  at("stop").hidden = false;
  try {
    const response = await post("api/stream", body, signal);
    show(line);
    for await (const { name, data } of events(response.body)) {
      if (name === "error") throw new Refusal(REFUSALS[500], data.error);
      if (data.text) line.lastChild.textContent += data.text;
    }
    if (!line.lastChild.textContent) at("result").append(element("p", { class: "note" }, "모델이 새로 생성한 글이 없습니다."));
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
  at("send").textContent = is ? texts.busy : texts.action;
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
  const details = known ? error.error : null;
  const lines = [known ? error.message : "결과를 표시하지 못했습니다."];
  if (details) {
    lines.push([details.place, details.problem].filter(Boolean).join(": "));
    if (details.expected) lines.push(`올바른 값: ${details.expected}`);
    if (details.fix) lines.push(`해결 방법: ${details.fix}`);
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
  texts = textsOf(model);
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
