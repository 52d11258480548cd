// What a person takes along: commands, an answers file, an address that has the answers.
import type { Answers, Question, State, Template } from "./contract";

/** Quote a word for a shell, if it needs that. */
function quote(word: string, shell: string): string {
  if (/^[\w%+=:./-]+$/.test(word)) return word;
  // PowerShell takes curly quotes for straight ones; fish takes a backslash in quotes for an escape.
  return `'${shell === "pwsh" ? word.replace(/['‘’‚‛]/g, "$&$&") : word.replace(/['\\]/g, "'\\$&'")}'`;
}

/** An answer as YAML on one line, as --data takes it. */
function plain(value: unknown): string {
  if (!Array.isArray(value)) return typeof value === "object" ? JSON.stringify(value) : String(value);
  return `[${value.map((each) => (/^[A-Za-z][\w-]*$/.test(each) ? each : JSON.stringify(each))).join(", ")}]`;
}

/** The commands that make the same project. */
export function commands({ changed, questions }: State, { address, version }: Template, shell: string): Record<string, string> {
  const answers = new Map(questions.map(({ name, value }) => [name, value]));
  const folder = String(answers.get("project_name") ?? "my-project");
  const data = (given: Answers) => Object.entries(given).flatMap(([name, value]) => ["--data", `${name}=${plain(value)}`]);
  const line = (...words: string[]) => words.map((word) => quote(word, shell)).join(" ");
  const copy = ["uvx", "copier", "copy", "--trust", "--defaults", "--vcs-ref", version];
  // `new` takes the defaults of these from git.
  const author = Object.fromEntries(["author_name", "author_email"].filter((name) => answers.has(name)).map((name) => [name, answers.get(name)]));
  return {
    "copier-command": line(...copy, ...data(changed), address, folder),
    "new-command": line("copier-pyo3", "new", "--defaults", "--template", address, ...data({ ...author, ...changed }), folder),
    "file-command": line(...copy, "--data-file", "answers.yml", address, folder),
  };
}

/** The answers file without what belongs to a project: its template, and the version. */
export const answersAlone = (file: string) => file.split("\n").filter((line) => !/^[_#]/.test(line)).join("\n");

/** The part of the address after #. */
export function toFragment(answers: Answers): string {
  const pairs = Object.entries(answers).flatMap(([name, value]): [string, string][] =>
    Array.isArray(value) ? (value.length ? value : [""]).map((each) => [name, String(each)]) : [[name, String(value)]]);
  return new URLSearchParams(pairs).toString();
}

/** The answers in an address. The worker ignores names that the template does not have. */
export function fromFragment(fragment: string, questions: Question[]): Answers {
  const given = new URLSearchParams(fragment);
  const known = new Map(questions.map((question) => [question.name, question]));
  const read = (name: string) => {
    const { multiselect, type } = known.get(name) ?? {};
    return multiselect ? given.getAll(name).filter(Boolean) : type === "bool" ? given.get(name) === "true" : given.get(name);
  };
  return Object.fromEntries([...new Set(given.keys())].map((name) => [name, read(name)]));
}

export function download(name: string, content: BlobPart): void {
  const link = Object.assign(document.createElement("a"), { download: name, href: URL.createObjectURL(new Blob([content])) });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // some browsers read it after the click
}
