// The page: answers on the left, the project that Copier makes of them on the right.
import type { Answers, State, Template } from "./contract";
import { get, h, same } from "./dom";
import { startEngine } from "./engine";
import { showForm } from "./form";
import { answersAlone, commands, download, fromFragment, toFragment } from "./take";
import { chosenText, showProject } from "./view";

const first: State & { template: Template } = await (await fetch("questions.json")).json();
let answers = fromFragment(location.hash.slice(1), first.questions);
let shown: State = first; // the newest state with a project
let current: State = first;
let pinned: { name: string; state: Pick<State, "files" | "questions"> } | null = null;
let ready = false;

const say = (words: string, isProblem = false) => {
  const status = get("#status p");
  status.textContent = words;
  status.classList.toggle("problem", isProblem);
};
const failed = (error: unknown) => say((error as Error).message, true);

const engine = startEngine((done, words) => {
  get<HTMLProgressElement>("progress").value = done;
  ready = done === 1;
  get("#status").classList.toggle("ready", ready);
  if (!ready) say(done ? `${words}. You can answer the questions now.` : words, !done);
});

// --- an answer, and what follows from it ------------------------------------------------------------

let last = "";
let timer = 0;

function answer(name: string, value: unknown, typing: boolean): void {
  const question = current.questions.find((each) => each.name === name);
  if (value === undefined || (!typing && same(value, question?.default))) delete answers[name];
  else answers[name] = value;
  const address = `#${toFragment(answers)}`;
  typing && name === last ? history.replaceState(null, "", address) : history.pushState(null, "", address);
  last = name;
  clearTimeout(timer);
  timer = setTimeout(() => void refresh(), typing ? 200 : 0);
}

function replaceAnswers(next: Answers): void {
  answers = next;
  last = "";
  showForm(current.questions, answers, answer);
  void refresh();
}

let running = false;
let outdated = false;

/** Ask for the form and the project of the newest answers. While a call runs, only the newest waits. */
async function refresh(): Promise<void> {
  outdated = true;
  get("#project").ariaBusy = "true";
  if (running) return;
  running = true;
  while (outdated) {
    outdated = false;
    const asked = { ...answers };
    const partial = (state: State) => { if (!outdated) showForm(state.questions, answers, answer); };
    try {
      const state = await engine.state(asked, partial);
      if (!outdated) show(state);
    } catch (error) {
      failed(error);
    }
  }
  running = false;
  get("#project").ariaBusy = "false";
}

function show(state: State): void {
  current = state;
  showForm(state.questions, answers, answer);
  get("#project-title").textContent = state.files ? "Your project" : "Your project, before the refused answer";
  if (!state.files) return say(`Refused: ${state.refused}`, true);
  const before = pinned?.state.files ?? shown.files ?? state.files;
  const words = showProject(before, state.files, Boolean(pinned));
  shown = state;
  if (ready) say(pinned ? `${words}, compared with ${pinned.name}` : words);
  showDifferences(state);
}

function showDifferences(state: State): void {
  const values = (of: Pick<State, "questions">) => new Map(of.questions.map(({ name, value }) => [name, String(value)]));
  const [a, b] = [values(pinned?.state ?? state), values(state)];
  const different = [...b].filter(([name, value]) => a.get(name) !== value).map(([name, value]) => `${name}: ${a.get(name) ?? "(new)"} → ${value}`);
  get("#differences").textContent = pinned
    ? `A: ${pinned.name}. B: your answers${different.length ? `, with ${different.join("; ")}` : ". Change an answer to see what it does"}.`
    : "";
}

function pin(next: typeof pinned): void {
  pinned = next;
  get("#pin").ariaPressed = String(Boolean(pinned));
  document.body.classList.toggle("comparing", Boolean(pinned));
  show(shown);
}

// --- the buttons ------------------------------------------------------------------------------------

const click = (selector: string, action: () => unknown) => {
  get(selector).onclick = async () => { try { await action(); } catch (error) { failed(error); } };
};
const copy = async (text: string, what: string) => {
  await navigator.clipboard.writeText(text);
  say(`Copied: ${what}`);
};

click("#zip", async () => {
  if (!ready) say("The zip is made as soon as Python is loaded.");
  const bytes = await engine.zip({ ...answers });
  const name = current.questions.find((each) => each.name === "project_name")?.value ?? "project";
  download(`${String(name)}.zip`, bytes);
  say(`Downloaded ${String(name)}.zip. Unpack it, and run: git init -b main`);
});
click("#jump", () => get("#project").scrollIntoView());
click("#link", () => copy(location.href, "the address with your answers"));
click("#copy-file", () => copy(chosenText(), "the file"));
click("#pin", () => pin(pinned ? null : { name: "the answers you kept", state: shown }));
click("#reset", () => { history.pushState(null, "", "#"); pin(null); replaceAnswers({}); });
click("#answers", () => download("answers.yml", answersAlone(shown.answersFile)));
click("#commands", () => { showCommands(); get<HTMLDialogElement>("#commands-dialog").showModal(); });
click("#load", () => get<HTMLDialogElement>("#load-dialog").showModal());
get("#shell").onchange = showCommands;
addEventListener("popstate", () => replaceAnswers(fromFragment(location.hash.slice(1), current.questions)));

function showCommands(): void {
  const made = commands(shown, first.template, get<HTMLSelectElement>("#shell").value);
  for (const [id, text] of Object.entries(made)) {
    get(`#${id}`).textContent = text;
    click(`#${id} + button`, () => copy(text, "the command"));
  }
}

for (const dialog of document.querySelectorAll("dialog")) {
  const close = dialog.querySelector<HTMLButtonElement>(".close");
  if (close) close.onclick = () => dialog.close();
}

// --- an answers file --------------------------------------------------------------------------------

const paste = get<HTMLTextAreaElement>("#paste");
const choose = get<HTMLInputElement>("#choose");
choose.onchange = async () => { paste.value = (await choose.files?.[0]?.text()) ?? ""; };

/** Read the answers file in the dialog, and do something with it. What is ignored stays in the dialog with its reason. */
const withFile = (selector: string, action: (found: Awaited<ReturnType<typeof engine.parse>>) => unknown) => {
  click(selector, async () => {
    const said = get("#loaded");
    try {
      const found = await engine.parse(paste.value);
      const note = await action(found);
      const ignored = found.ignored.map(({ name, why }) => h("li", {}, `${name} is ignored: ${why}`));
      said.replaceChildren(`${Object.keys(found.answers).length} answers loaded. ${String(note ?? "")}`, h("ul", {}, ...ignored));
      if (!ignored.length && !note) get<HTMLDialogElement>("#load-dialog").close();
    } catch (error) {
      said.replaceChildren((error as Error).message);
    }
  });
};

function use(next: Answers): void {
  history.pushState(null, "", `#${toFragment(next)}`);
  replaceAnswers(next);
}

withFile("#use", ({ answers: found }) => use(found));
withFile("#against", async ({ answers: found }) => {
  const state = await engine.state(found);
  if (!state.files) throw new Error(`These answers are refused: ${state.refused}`);
  pin({ name: "the answers file", state });
});
withFile("#update", async ({ answers: found, commit }) => {
  if (!commit) throw new Error("This file does not say which version made the project: choose .copier-answers.yml.");
  const state = await engine.older(found, commit);
  pin({ name: `the unedited project from ${commit}`, state });
  use(found);
});

// --- start ------------------------------------------------------------------------------------------

const { address, version, organization } = first.template;
get("#template").textContent = `${organization ? `Answers of ${organization}. ` : ""}Template ${address}, version ${version}.`;
showForm(first.questions, answers, answer);
if (!Object.keys(answers).length) show(first);
void refresh();
