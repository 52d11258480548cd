// What the page and the worker say to each other.

export type Answers = Record<string, unknown>;
export type Files = Record<string, string>;

export interface Question {
  name: string;
  type: string;
  help: string;
  choices: { label: string; value: unknown; problem: string | null }[] | null;
  multiselect: boolean;
  value: unknown; // of a `yaml` question, a line of YAML
  default: unknown;
  counts: boolean; // whether it has an answer, with the other answers
  asked: boolean;
  advanced: boolean;
  locked?: boolean; // by an organization
  problem: string | null;
}

export interface State {
  questions: Question[];
  changed: Answers; // answers that are not the template's defaults
  refused: string | null;
  files: Files | null; // null if an answer is refused, or not rendered yet
  executable: string[];
  answersFile: string;
}

export interface Loaded {
  answers: Answers;
  ignored: { name: string; why: string }[];
  commit: string; // "" if there is none
}

export interface Template {
  address: string;
  version: string;
  organization: string | null;
}

export type Request = { id: number } & (
  | { do: "state" | "zip"; answers: Answers }
  | { do: "parse"; text: string }
  | { do: "older"; answers: Answers; commit: string }
);

export type Reply =
  | { progress: { done: number; words: string } }
  | { id: number; partial: State }
  | { id: number; result: unknown }
  | { id: number; error: string };
