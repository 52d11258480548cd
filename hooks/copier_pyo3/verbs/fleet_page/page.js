"use strict";

const table = document.querySelector("table");
const tools = document.querySelector(".tools");
const rows = [...table.tBodies];
const collator = new Intl.Collator("en", { numeric: true });

function sort(header) {
  const key = header.dataset.key;
  const up = header.ariaSort ? header.ariaSort === "descending" : key === "name" || key === "rank";
  for (const other of table.tHead.rows[0].cells) {
    other.removeAttribute("aria-sort");
  }
  header.ariaSort = up ? "ascending" : "descending";
  rows.sort((a, b) => (up ? 1 : -1) * collator.compare(a.dataset[key], b.dataset[key]));
  table.append(...rows);
}

function filter() {
  const find = tools.elements.find.value.trim().toLowerCase();
  const state = tools.elements.state.value;
  for (const row of rows) {
    const named = row.dataset.name.toLowerCase().includes(find);
    row.hidden = !named || (state !== "" && row.dataset.state !== state);
  }
  const count = rows.filter((row) => !row.hidden).length;
  tools.querySelector("output").value = `${count} of ${rows.length} projects`;
}

for (const header of table.tHead.rows[0].cells) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...header.childNodes);
  button.addEventListener("click", () => sort(header));
  header.append(button);
}
tools.addEventListener("input", filter);
tools.addEventListener("submit", (event) => event.preventDefault());
tools.hidden = false;
document.documentElement.classList.add("sortable");
