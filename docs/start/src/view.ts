// The tree of the project and the chosen file, with marks of what is different from another project.
import { diffArrays } from "diff";
import bash from "highlight.js/lib/languages/bash";
import dockerfile from "highlight.js/lib/languages/dockerfile";
import ini from "highlight.js/lib/languages/ini";
import json from "highlight.js/lib/languages/json";
import markdown from "highlight.js/lib/languages/markdown";
import python from "highlight.js/lib/languages/python";
import rust from "highlight.js/lib/languages/rust";
import yaml from "highlight.js/lib/languages/yaml";
import { createLowlight } from "lowlight";
import type { Files } from "./contract";
import { get, h } from "./dom";

interface Change { mark: "new" | "gone" | "changed"; plus: number; minus: number }
type Nodes = ReturnType<typeof highlighter.highlight>["children"];

const highlighter = createLowlight({ bash, dockerfile, ini, json, markdown, python, rust, yaml });
const LANGUAGES: Record<string, string> = {
  bazel: "python", Dockerfile: "dockerfile", json: "json", lock: "ini", md: "markdown", py: "python", pyi: "python",
  rs: "rust", sh: "bash", toml: "ini", yaml: "yaml", yml: "yaml",
};
const closed = new Set<string>();
let before: Files = {};
let now: Files = {};
let beside = false;
let chosen = "README.md";

/** Show a project, and how it differs from another: what is new, gone, or changed. Returns a sentence about it. */
export function showProject(older: Files, newer: Files, sideBySide: boolean): string {
  [before, now, beside] = [older, newer, sideBySide];
  const changes = new Map<string, Change>();
  for (const path of new Set([...Object.keys(older), ...Object.keys(newer)])) {
    if (older[path] !== newer[path]) changes.set(path, change(older[path], newer[path]));
  }
  // The chosen file stays if the change is in it; else the first one that is new, gone, or changed, and not hidden.
  const order = ([path, { mark }]: [string, Change]) => `${path.startsWith(".") ? "z" : { new: "a", gone: "b", changed: "c" }[mark]}${path}`;
  const [first] = [...changes].sort((a, b) => (order(a) < order(b) ? -1 : 1))[0] ?? [];
  if (first && !changes.has(chosen) && (!first.startsWith(".") || !(chosen in newer))) chosen = first;
  if (!(chosen in newer) && !changes.has(chosen)) chosen = "README.md";
  showTree(changes);
  showFile(changes.get(chosen));
  const count = (mark: string) => [...changes.values()].filter((each) => each.mark === mark).length;
  const words = (["new", "gone", "changed"] as const).filter(count).map((mark) => `${count(mark)} ${mark}`);
  return `${Object.keys(newer).length} files${words.length ? `: ${words.join(", ")}` : ""}`;
}

export const chosenText = () => now[chosen] ?? before[chosen] ?? "";

function change(older: string | undefined, newer: string | undefined): Change {
  const parts = diffArrays((older ?? "").split("\n"), (newer ?? "").split("\n"));
  const sum = (key: "added" | "removed") => parts.reduce((lines, part) => lines + (part[key] ? part.count : 0), 0);
  return { mark: older === undefined ? "new" : newer === undefined ? "gone" : "changed", plus: sum("added"), minus: sum("removed") };
}

function showTree(changes: Map<string, Change>): void {
  const nav = get("nav");
  const focused = nav.contains(document.activeElement);
  const lists = new Map([["", h("ul")]]);
  const list = (folder: string): HTMLUListElement => {
    let found = lists.get(folder);
    if (!found) {
      lists.set(folder, (found = h("ul")));
      const [, parent = "", name = ""] = /^(?:(.*)\/)?(.+)$/.exec(folder) ?? [];
      const details = h("details", { open: !closed.has(folder) }, h("summary", {}, `${name}/`), found);
      details.ontoggle = () => (details.open ? closed.delete(folder) : closed.add(folder));
      list(parent).append(h("li", {}, details));
    }
    return found;
  };
  const order = (path: string) => path.replace(/[^/]+\//g, "\0$&"); // folders before files
  for (const path of [...new Set([...Object.keys(now), ...changes.keys()])].sort((a, b) => (order(a) < order(b) ? -1 : 1))) {
    const changed = changes.get(path);
    const [, folder = "", name = ""] = /^(?:(.*)\/)?(.+)$/.exec(path) ?? [];
    const file = h("button", { onclick: () => { chosen = path; showTree(changes); showFile(changed); } }, h("span", {}, name));
    if (changed) file.append(" ", h("span", { className: `mark ${changed.mark}` }, words(changed)));
    if (path === chosen) file.setAttribute("aria-current", "true");
    list(folder).append(h("li", {}, file));
  }
  nav.replaceChildren(list(""));
  nav.onkeydown = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const stops = [...nav.querySelectorAll<HTMLElement>("summary, button")].filter((each) => each.checkVisibility());
    if (step) stops[stops.indexOf(document.activeElement as HTMLElement) + step]?.focus();
    if (step) event.preventDefault();
  };
  if (focused) nav.querySelector<HTMLElement>("[aria-current]")?.focus();
}

const words = ({ mark, plus, minus }: Change) => (mark === "changed" ? `changed${plus ? ` +${plus}` : ""}${minus ? ` −${minus}` : ""}` : mark);

function showFile(changed: Change | undefined): void {
  const [left, right] = [before[chosen], now[chosen]];
  get("#file-title").replaceChildren(chosen, changed ? h("span", { className: `mark ${changed.mark}` }, ` ${words(changed)}`) : "");
  const [older, newer] = [highlight(left ?? ""), highlight(right ?? "")];
  const text = (side: string | undefined) => (side ?? "").replace(/\n$/, "").split("\n");
  const parts = changed && left !== undefined && right !== undefined ? diffArrays(text(left), text(right)) : [];
  const row = (kind: string, line: number, lines: HTMLElement[]) =>
    h("div", { className: `line ${kind}` }, h("span", { className: "number" }, `${{ plus: "+", minus: "−" }[kind] ?? ""} ${line + 1}`), lines[line] ?? null);
  const two = beside && parts.length > 0;
  const pairs: [HTMLElement | null, HTMLElement | null][] = []; // left and right; one of them if they are not side by side
  let [a, b, free] = [0, 0, 0]; // line numbers, and the first pair whose right side an added line can take
  for (const { count, added, removed } of parts) {
    for (let line = 0; line < count; line++) {
      const pair = pairs[free];
      if (removed) pairs.push([row("minus", a++, older), null]);
      else if (!added) free = pairs.push(two ? [row("", a, older), row("", b, newer)] : [row("", b, newer), null]);
      else if (two && pair) pair[1] = row("plus", b, newer);
      else pairs.push([null, row("plus", b, newer)]);
      if (added) free++;
      else if (!removed) a++;
      if (!removed) b++;
    }
  }
  const rows = pairs.flatMap((pair) => (two ? pair.map((each) => each ?? h("div", { className: "line none" })) : pair.filter((each) => each !== null)));
  if (!parts.length) {
    const kind = { new: "plus", gone: "minus", changed: "" }[changed?.mark ?? "changed"];
    const lines = right === undefined ? older : newer;
    rows.push(...text(right ?? left).map((_, line) => row(kind, line, lines)));
  }
  const file = get("#file");
  file.classList.toggle("two", two);
  file.replaceChildren(...rows);
  file.scrollTop = 0;
  const top = parts.length ? (file.querySelector<HTMLElement>(".plus, .minus")?.offsetTop ?? 0) : 0;
  file.scrollTop = Math.max(0, top - file.offsetTop - 60);
}

/** The lines of the chosen file as elements. */
function highlight(text: string): HTMLElement[] {
  const language = LANGUAGES[/[^./]+$/.exec(chosen)?.[0] ?? ""];
  const lines = [h("code")];
  const walk = (nodes: Nodes, style: string): void => {
    for (const node of nodes) {
      if (node.type === "element") walk(node.children, [style, node.properties.className].flat().join(" "));
      if (node.type === "text") {
        node.value.split("\n").forEach((piece, number) => {
          if (number) lines.push(h("code"));
          if (piece) lines[lines.length - 1]?.append(style ? h("span", { className: style }, piece) : piece);
        });
      }
    }
  };
  walk(language ? highlighter.highlight(language, text).children : [{ type: "text", value: text }], "");
  return lines;
}
