// The page: answers on the left, the project that Copier makes of them on the right.
import type { Answers, State, Template } from "./contract";
import { get, h, same } from "./dom";
import { startEngine } from "./engine";
import { showForm } from "./form";
import { answersAlone, commands, download, fromFragment, toFragment } from "./take";
import { chosenText, showProject } from "./view";

declare const FILES: Record<string, string>; // hashes, from the build

const first: State & { template: Template } = await (await fetch(`questions.json?${FILES["questions.json"]}`, { integrity: FILES["questions.json"] })).json();
const { address, version, organization } = first.template;
let answers = fromFragment(location.hash.slice(1), first.questions);
let shown: State = Object.keys(answers).length ? { ...first, files: null } : first; // the newest state with a project
let before = first.files ?? {}; // the files before the newest change
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
  if (!typing || name !== last) history.pushState(null, "", `#${toFragment(answers)}`);
  last = name;
  get("#project").ariaBusy = "true";
  clearTimeout(timer);
  timer = setTimeout(() => {
    history.replaceState(null, "", `#${toFragment(answers)}`); // not for each key: browsers limit how often
    void refresh();
  }, typing ? 200 : 0);
}

function replaceAnswers(next: Answers): Promise<void> {
  answers = next;
  last = "";
  showForm(current.questions, answers, answer);
  return refresh();
}

let outdated = false;
let work: Promise<void> | null = null;

/** Ask for the form and the project of the newest answers. While a call runs, only the newest waits. */
function refresh(): Promise<void> {
  outdated = true;
  get("#project").ariaBusy = "true";
  return (work ??= render().catch(failed).finally(() => {
    work = null;
    get("#project").ariaBusy = "false";
  }));
}

async function render(): Promise<void> {
  while (outdated) {
    outdated = false;
    const state = await engine.state({ ...answers }, (form) => { if (!outdated) showForm(form.questions, answers, answer); });
    if (!outdated) show(state);
  }
}

function show(state: State): void {
  current = state;
  showForm(state.questions, answers, answer);
  get("#project-title").textContent = state.files ? "Your project" : "Your project, before the refused answer";
  if (!state.files) {
    const problems = state.questions.filter(({ problem }) => problem).map(({ help, problem }) => `${help}: ${problem}`);
    return say(`Refused: ${problems.join("; ") || state.refused}`, true);
  }
  if (!same(state.files, shown.files)) before = shown.files ?? state.files;
  const words = showProject(pinned?.state.files ?? before, state.files, Boolean(pinned));
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
  const newest = current;
  pinned = next;
  get("#pin").ariaPressed = String(Boolean(pinned));
  before = shown.files ?? {};
  if (shown.files) show(shown);
  if (!newest.files) show(newest); // it is refused
}

// --- the buttons ------------------------------------------------------------------------------------

const click = (selector: string, action: () => unknown) => {
  get(selector).onclick = async () => { try { await action(); } catch (error) { failed(error); } };
};
const copy = async (text: string, what: string) => {
  if (!isSecureContext) throw new Error("The browser lets a page copy only with https: select the text, and copy it.");
  await navigator.clipboard.writeText(text);
  say(`Copied: ${what}`);
};

click("#zip", async () => {
  if (!ready) say("The zip is made as soon as Python is loaded.");
  await refresh(); // the name in `current` is that of the newest answers then
  if (!current.files) return show(current);
  const name = current.questions.find((each) => each.name === "project_name")?.value ?? "project";
  const bytes = await engine.zip({ ...answers });
  download(`${String(name)}.zip`, bytes);
  say(`Downloaded ${String(name)}.zip. Unpack it, and run: git init -b main`);
});
click("#jump", () => {
  get("#project").scrollIntoView();
  document.querySelector<HTMLElement>("nav summary, nav button")?.focus({ preventScroll: true });
});
click("#link", () => copy(location.href, "the address with your answers"));
click("#copy-file", () => copy(chosenText(), "the file"));
click("#pin", async () => {
  if (!shown.files) await refresh();
  if (!shown.files) return show(current);
  pin(pinned ? null : { name: "the answers you kept", state: shown });
});
click("#reset", () => { shown = current = first; pin(null); return use({}); });
click("#answers", () => download("answers.yml", answersAlone(shown.answersFile)));
click("#commands", async () => {
  await refresh();
  if (!current.files) return show(current);
  showCommands();
  get<HTMLDialogElement>("#commands-dialog").showModal();
});
click("#load", () => {
  choose.value = ""; // else an edited file could not be chosen again
  get("#loaded").replaceChildren();
  get<HTMLDialogElement>("#load-dialog").showModal();
});
get("#shell").onchange = showCommands;
addEventListener("popstate", () => void replaceAnswers(fromFragment(location.hash.slice(1), current.questions)));

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
const LARGE = 1_000_000; // more than Python accepts
let reading: Promise<void> | null = null;
choose.onchange = () => {
  reading = (async () => { paste.value = (await choose.files?.[0]?.slice(0, LARGE).text()) ?? ""; })();
};

/** Read the answers file in the dialog, and do something with it. What is ignored stays in the dialog with its reason. */
const withFile = (selector: string, action: (found: Awaited<ReturnType<typeof engine.parse>>) => unknown) => {
  click(selector, async () => {
    const said = get("#loaded");
    said.replaceChildren();
    try {
      await reading;
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

/** Replace the answers. Those that are the default ones are left out when Copier has said so. */
async function use(found: Answers): Promise<void> {
  const known = new Map(first.questions.map((question) => [question.name, question]));
  const entries = Object.entries(found).map(([name, value]) => {
    const { type, multiselect } = known.get(name) ?? {};
    return [name, type === "yaml" || (typeof value === "object" && !multiselect) ? JSON.stringify(value) : value];
  });
  const next = Object.fromEntries(entries) as Answers;
  history.pushState(null, "", `#${toFragment(next)}`);
  await replaceAnswers(next);
  if (answers !== next) return; // replaced again
  for (const { name, default: usual } of current.questions) if (same(answers[name], usual)) delete answers[name];
  history.replaceState(null, "", `#${toFragment(answers)}`);
  showForm(current.questions, answers, answer);
}

withFile("#use", ({ answers: found }) => use(found));
withFile("#against", async ({ answers: found }) => {
  const state = await engine.state(found);
  if (!state.files) throw new Error(`These answers are refused: ${state.refused}`);
  pin({ name: "the answers file", state });
});
withFile("#update", async ({ answers: found, commit }) => {
  if (!commit) throw new Error("This file does not say which version made the project: choose .copier-answers.yml.");
  if (commit === version) throw new Error(`The project has ${commit}, the version of this page: an update changes nothing.`);
  const state = await engine.older(found, commit);
  if (!state.files) throw new Error(`${commit} refuses these answers: ${state.refused}`);
  pin({ name: `an unedited project of ${commit}`, state });
  await use(found);
});

// --- start ------------------------------------------------------------------------------------------

get("#template").textContent = `${organization ? `Answers of ${organization}. ` : ""}Template ${address}, version ${version}.`;
get("#questions form").replaceChildren();
showForm(first.questions, answers, answer);
if (shown.files) show(first);
void refresh();
