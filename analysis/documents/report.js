// Without this script the page says the same; with it, tables can be sorted.
"use strict";

const numberIn = (cell) => parseFloat(cell.textContent.replaceAll(",", ""));

const byNumber = (a, b) => numberIn(a) - numberIn(b);

const byText = (a, b) => a.textContent.localeCompare(b.textContent, "en", { numeric: true });

// A cell without a number goes last, whichever way the others are sorted.
const isMissing = (cell, numeric) => numeric && Number.isNaN(numberIn(cell));

function sort(table, heading) {
  const column = heading.cellIndex;
  const numeric = heading.classList.contains("number");
  const direction = heading.getAttribute("aria-sort") === "ascending" ? -1 : 1;
  const compare = numeric ? byNumber : byText;
  const rows = [...table.tBodies[0].rows].sort((first, second) => {
    const [a, b] = [first.cells[column], second.cells[column]];
    const missing = isMissing(a, numeric) - isMissing(b, numeric);
    return missing || direction * compare(a, b);
  });
  table.tBodies[0].append(...rows);
  for (const other of heading.parentElement.cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", direction === 1 ? "ascending" : "descending");
}

for (const table of document.querySelectorAll("table")) {
  if (table.tBodies[0].rows.length < 2) continue;
  for (const heading of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    button.addEventListener("click", () => sort(table, heading));
    heading.append(button);
  }
}
