// The form: a field for each question, made from what Copier says about it.
import type { Answers, Question } from "./contract";
import { get, h, same } from "./dom";

type Answer = (name: string, value: unknown, typing: boolean) => void;
interface Field { kind: string; element: HTMLElement; set: (value: unknown) => void }

const fields = new Map<string, Field>();

export function showForm(questions: Question[], answers: Answers, answer: Answer): void {
  const form = get("#questions form");
  for (const question of questions) {
    const { name } = question;
    const kind = JSON.stringify([question.type, question.multiselect, question.choices, question.locked]);
    let field = fields.get(name);
    if (field?.kind !== kind) {
      const made = makeField(question, kind, answer);
      const focused = field?.element.contains(document.activeElement) && document.activeElement?.id;
      field ? field.element.replaceWith(made.element) : form.append(made.element);
      if (focused) document.getElementById(focused)?.focus();
      fields.set(name, (field = made));
    }
    const { element } = field;
    const given = name in answers && !question.locked;
    field.set(given ? answers[name] : question.value);
    element.hidden = !question.asked && !(given && question.counts);
    element.classList.toggle("advanced", question.advanced);
    get(`#help-${name}`).replaceChildren(...question.help.split("`").map((text, code) => (code % 2 ? h("code", {}, text) : text)));
    get(`#problem-${name}`).textContent = question.problem ?? "";
    get(`#default-${name}`).hidden = !given;
    for (const control of element.querySelectorAll("input, select")) {
      control.setAttribute("aria-invalid", String(Boolean(question.problem)));
    }
  }
}

function makeField(question: Question, kind: string, answer: Answer): Field {
  const { name, choices, multiselect } = question;
  const id = `answer-${name}`;
  const say = (value: unknown, typing = false) => answer(name, value, typing);
  const described = <Type extends HTMLElement>(control: Type) => {
    control.setAttribute("aria-describedby", `problem-${name}`);
    return control;
  };
  const help = () => h("span", { id: `help-${name}`, className: "help" });
  const rest = [
    h("button", {
      id: `default-${name}`, type: "button", className: "default", textContent: "Default", ariaLabel: `Default answer of ${name}`,
      hidden: true, onclick: () => { say(undefined); element.querySelector<HTMLElement>("input, select")?.focus(); },
    }),
    h("p", { id: `problem-${name}`, className: "problem" }),
  ];
  let element: HTMLElement;
  let set: Field["set"];
  if (choices && (multiselect || choices.length < 5)) {
    const boxes = choices.map(({ value, problem }, number) => described(h("input", {
      id: `${id}-${number}`, name: id, type: multiselect ? "checkbox" : "radio", disabled: Boolean(problem),
      onchange: () => say(multiselect ? choices.filter((_, each) => boxes[each]?.checked).map((each) => each.value) : value),
    })));
    const labels = choices.map(({ label, problem }, number) =>
      h("label", {}, boxes[number] ?? null, h("span", {}, label, problem && h("small", {}, ` (${problem})`))));
    element = h("fieldset", { disabled: question.locked ?? false }, h("legend", {}, help()), ...labels, ...rest);
    set = (chosen) => boxes.forEach((box, number) => {
      const value = choices[number]?.value;
      box.checked = multiselect ? Array.isArray(chosen) && chosen.includes(value) : chosen === value;
    });
  } else if (question.type === "bool") {
    const box = described(h("input", { id, type: "checkbox", disabled: question.locked ?? false, onchange: () => say(box.checked) }));
    element = h("div", {}, h("label", {}, box, help()), ...rest);
    set = (value) => { box.checked = value === true; };
  } else if (choices) {
    const options = choices.map(({ label, problem }, number) =>
      h("option", { value: String(number), disabled: Boolean(problem) }, problem ? `${label}: ${problem}` : label));
    const list = described(h("select", {
      id, disabled: question.locked ?? false, onchange: () => say(choices[Number(list.value)]?.value),
    }, ...options));
    element = h("div", {}, h("label", { htmlFor: id }, help()), list, ...rest);
    set = (chosen) => { list.value = String(choices.findIndex(({ value }) => same(value, chosen))); };
  } else {
    const text = described(h("input", {
      id, type: "text", spellcheck: false, disabled: question.locked ?? false, oninput: () => say(text.value, true),
    }));
    element = h("div", {}, h("label", { htmlFor: id }, help()), text, ...rest);
    set = (value) => { if (text.value !== String(value)) text.value = String(value); };
  }
  element.classList.add("question");
  return { kind, element, set };
}
