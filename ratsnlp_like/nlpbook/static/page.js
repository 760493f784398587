// Sends the form to POST /api and shows the response. All values are written as text, never as HTML.
"use strict";

const form = document.querySelector("form");
const status = document.getElementById("status");
const result = document.getElementById("result");

const titles = {
  sentence: "문장",
  premise: "전제",
  hypothesis: "가설",
  question: "질문",
  context: "지문",
  prediction: "예측",
  answer: "답",
  result: "결과",
  token: "토큰",
  predicted_tag: "태그",
  top_prob: "확률",
};

function element(name, text) {
  const node = document.createElement(name);
  if (text !== undefined) node.textContent = typeof text === "object" ? JSON.stringify(text) : String(text);
  return node;
}

function row(cells, name) {
  const node = element("tr");
  node.append(...cells.map((cell) => element(name, cell)));
  return node;
}

function table(rows, header) {
  const node = element("table");
  if (header) node.append(row(header, "th"));
  node.append(...rows);
  return node;
}

// A probability is sent as `x_data`, its text, and `x_width`, the width of its bar.
function line(name, response) {
  const kind = name.match(/^(.*)_data$/)?.[1];
  if (kind === undefined) return row([titles[name] ?? name, response[name]], "td");
  const node = row([response[name]], "td");
  const cell = node.appendChild(element("td"));
  const bar = cell.appendChild(element("progress"));
  bar.max = 100;
  bar.value = parseFloat(response[`${kind}_width`]) || 0;
  return node;
}

function show(response) {
  result.replaceChildren();
  const plain = Object.keys(response).filter((name) => !Array.isArray(response[name]) && !name.endsWith("_width"));
  if (plain.length) result.append(table(plain.map((name) => line(name, response))));
  for (const list of Object.values(response).filter(Array.isArray)) {
    const names = Object.keys(list[0] ?? {});
    const rows = list.map((item) => row(names.map((name) => item[name]), "td"));
    result.append(table(rows, names.map((name) => titles[name] ?? name)));
  }
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const values = Object.fromEntries(new FormData(form));
  const body = form.dataset.bare === "true" ? Object.values(values)[0] : values;
  status.textContent = "기다려 주세요…";
  try {
    const reply = await fetch("api", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    const content = await reply.json();
    if (!reply.ok) throw new Error([content.error.place, content.error.problem, content.error.expected].filter(Boolean).join(" · "));
    status.textContent = "";
    show(content);
  } catch (error) {
    result.replaceChildren();
    status.textContent = `오류: ${error.message}`;
  }
});
