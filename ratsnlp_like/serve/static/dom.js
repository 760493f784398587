// Elements are created, never parsed from text, so that inputs and predictions cannot become markup.

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child != null));
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

export function drawing(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

export const percent = (share) => `${(100 * share).toFixed(1)}%`;

// rows: {what (text or element), share, chosen}
export function bars(rows, line = null) {
  return element("ul", { class: "bars" }, ...rows.map(({ what, share, chosen }) => {
    const fill = element("div", { class: "fill" });
    fill.style.width = percent(share);
    const track = element("div", { class: "track", "aria-hidden": "true" }, fill);
    if (line !== null) {
      const mark = element("div", { class: "line" });
      mark.style.left = percent(line);
      track.append(mark);
    }
    return element("li", { class: chosen ? "chosen" : null },
      element("span", { class: "what" }, what), track, element("span", { class: "share" }, percent(share)));
  }));
}

// Offsets count characters, as Python does; JavaScript counts an emoji twice.
export function cut(text, spans) {
  const characters = Array.from(text);
  const parts = [];
  let at = 0;
  for (const span of spans) {
    if (span.start < at) continue;
    parts.push([characters.slice(at, span.start).join(""), null]);
    parts.push([characters.slice(span.start, span.end).join(""), span]);
    at = span.end;
  }
  parts.push([characters.slice(at).join(""), null]);
  return parts.filter(([part]) => part);
}
