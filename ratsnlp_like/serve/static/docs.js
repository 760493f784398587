// Lists the endpoints of openapi.json.
import { element } from "./dom.js";

const TEXTS = {
  "/api": "입력 하나를 예측합니다.",
  "/api/batch": "입력 여러 개를 한 번에 예측합니다. 결과는 입력 순서대로 돌아오고, 잘못된 입력의 자리에는 error가 들어갑니다.",
  "/api/stream": "생성되는 글을 조각 단위로 받습니다(text/event-stream). 끝나면 event: done, 도중에 오류가 나면 event: error를 받습니다.",
  "/model": "모델의 이름, 과제, 레이블, 지표를 돌려줍니다.",
  "/healthz": "서버 상태와 대기 중인 입력 수를 돌려줍니다.",
};

const kind = ({ type, anyOf, $ref, maximum, maxLength, maxItems }) => {
  const name = type ?? anyOf?.map((one) => one.type ?? "object").join(" | ") ?? ($ref ? "object" : "");
  const most = maxLength ?? maximum ?? maxItems;
  return most === undefined ? name : `${name} (≤ ${most.toLocaleString()})`;
};

const table = (properties) => element("table", {}, element("tbody", {}, ...Object.entries(properties).map(([name, field]) =>
  element("tr", {}, element("th", { scope: "row" }, element("code", {}, name)), element("td", {}, kind(field)), element("td", {}, field.description ?? "")))));

function fields({ properties }, find) {
  const { options, ...texts } = properties;
  const settings = options.$ref ? find(options.$ref).properties : {};
  if (!settings || !Object.keys(settings).length) return [table(texts)];
  return [table(texts), element("details", {}, element("summary", {}, "options에 넣을 수 있는 값"), table(settings))];
}

function endpoint(path, method, spec, find) {
  const parts = [element("h2", {}, element("code", {}, `${method.toUpperCase()} ${path}`)), element("p", {}, TEXTS[path] ?? spec.summary)];
  const reference = spec.requestBody?.content["application/json"].schema.$ref;
  if (reference) {
    const schema = find(reference);
    const address = new URL(path.slice(1), document.baseURI);
    const quoted = JSON.stringify(schema.example).replaceAll("'", "'\\''");
    const call = `curl ${path === "/api/stream" ? "-N " : ""}${address} \\\n  -H 'Content-Type: application/json' \\\n  -d '${quoted}'`;
    parts.push(...fields(schema, find), element("pre", {}, element("code", {}, call)));
  }
  return element("section", { class: "card endpoint" }, ...parts);
}

const api = await (await fetch("openapi.json")).json();
const find = (reference) => api.components.schemas[reference.split("/").pop()];
document.getElementById("name").textContent = `${api.info.title} · API 안내`;
document.getElementById("endpoints").append(...Object.entries(api.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, spec]) => endpoint(path, method, spec, find))));
