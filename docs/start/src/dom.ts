// Elements without innerHTML: text stays text.

type Child = Node | string | null;

export function h<Name extends keyof HTMLElementTagNameMap>(
  name: Name, properties: Partial<HTMLElementTagNameMap[Name]> = {}, ...children: Child[]
): HTMLElementTagNameMap[Name] {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children.filter((child) => child !== null));
  return element;
}

export function get<Type extends HTMLElement = HTMLElement>(selector: string): Type {
  const found = document.querySelector<Type>(selector);
  if (!found) throw new Error(`index.html has no ${selector}`);
  return found;
}

export const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
