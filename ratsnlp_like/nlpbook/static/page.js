// Asks POST /api and shows what comes. Everything is written as text: an answer is never read as HTML.
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
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = typeof text === "object" ? JSON.stringify(text) : String(text);
  return made;
}

function row(cells, name) {
  const made = element("tr");
  made.append(...cells.map((cell) => element(name, cell)));
  return made;
}

function table(rows, header) {
  const made = element("table");
  if (header) made.append(row(header, "th"));
  made.append(...rows);
  return made;
}

// A probability comes as `x_data`, its text, and `x_width`, its bar.
function line(name, answer) {
  const kind = name.match(/^(.*)_data$/)?.[1];
  if (kind === undefined) return row([titles[name] ?? name, answer[name]], "td");
  const made = row([answer[name]], "td");
  const cell = made.appendChild(element("td"));
  const bar = cell.appendChild(element("progress"));
  bar.max = 100;
  bar.value = parseFloat(answer[`${kind}_width`]) || 0;
  return made;
}

function show(answer) {
  result.replaceChildren();
  const plain = Object.keys(answer).filter((name) => !Array.isArray(answer[name]) && !name.endsWith("_width"));
  if (plain.length) result.append(table(plain.map((name) => line(name, answer))));
  for (const list of Object.values(answer).filter(Array.isArray)) {
    const names = Object.keys(list[0] ?? {});
    const rows = list.map((item) => row(names.map((name) => item[name]), "td"));
    result.append(table(rows, names.map((name) => titles[name] ?? name)));
  }
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const given = Object.fromEntries(new FormData(form));
  const body = form.dataset.bare === "true" ? Object.values(given)[0] : given;
  status.textContent = "기다려 주세요…";
  try {
    const answer = await fetch("api", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    const content = await answer.json();
    if (!answer.ok) throw new Error([content.error.place, content.error.problem, content.error.expected].filter(Boolean).join(" · "));
    status.textContent = "";
    show(content);
  } catch (error) {
    result.replaceChildren();
    status.textContent = `오류: ${error.message}`;
  }
});
