// Tables that sort: each heading is a button, pressed again it turns the order round.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  for (const table of document.querySelectorAll("table.sortable")) {
    const body = table.tBodies[0], heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const up = head.getAttribute("aria-sort") !== "ascending";
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const value = row => row.cells[column].dataset.value;
        const compare = (a, b) => (isNaN(a) || isNaN(b) || !a || !b ? a.localeCompare(b) : a - b);
        const rows = [...body.rows].sort((a, b) => (up ? 1 : -1) * compare(value(a), value(b)));
        body.append(...rows);
      });
    });
  }
});

// A place inside of what is folded is unfolded when an address leads to it.
const unfold = () => {
  const place = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  place?.querySelector(":scope > details.run-folded")?.setAttribute("open", "");
};
window.addEventListener("hashchange", unfold);
document.addEventListener("DOMContentLoaded", unfold);
