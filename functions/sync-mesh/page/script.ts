import { type Html, html } from "./html.ts";

/**
 * Adds to a page that is complete without it: buttons that copy a command, the reader's own time beside UTC,
 * and folds that stay open when the page loads itself again. It sends nothing.
 */
export const SCRIPT: Html = html`
(() => {
"use strict";
const said = document.createElement("p");
said.className = "unseen";
said.setAttribute("role", "status");
document.body.append(said);
for (const command of document.querySelectorAll("code.command")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.setAttribute("aria-label", "Copy " + command.textContent);
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(command.textContent);
    button.textContent = said.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; said.textContent = ""; }, 2000);
  });
  command.after(button);
}
const format = new Intl.DateTimeFormat([], { weekday: "short", hour: "2-digit", minute: "2-digit", timeZoneName: "short" });
for (const time of document.querySelectorAll("time[datetime]")) {
  const date = new Date(time.dateTime);
  if (date.getTimezoneOffset() === 0) continue;
  const local = format.format(date);
  if (time.title !== "") time.title += ", " + local;
  if (time.className !== "clock") continue;
  const beside = document.createElement("span");
  beside.className = "local";
  beside.textContent = " (" + local + ")";
  time.after(beside);
}
const KEY = "meshjoin-open";
let kept;
try { kept = new Set(JSON.parse(sessionStorage.getItem(KEY) ?? "[]")); } catch { return; }
for (const fold of document.querySelectorAll("details.keep")) {
  if (kept.has(fold.id)) fold.open = true;
  fold.addEventListener("toggle", () => {
    kept[fold.open ? "add" : "delete"](fold.id);
    sessionStorage.setItem(KEY, JSON.stringify([...kept]));
  });
}
})();
`;

export const SCRIPT_ELEMENT: Html = html`<script>${SCRIPT}</script>`;
