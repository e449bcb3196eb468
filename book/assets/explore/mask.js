// Lesson 01: which keys each query may see, to paint; the weights and outputs of the three tokens.
"use strict";

(() => {
  const { element, change } = Explore;
  const NAMES = ["cat", "mat", "it"], VALUES = [[10, 0], [0, 10], [0, 0]];
  const SCORES = [[0, 1, 0], [1, 0, 0], [2, 0, 0]].map((row) => row.map((dot) => dot / Math.SQRT2));
  const STARTS = { "all visible": [1, 1, 1, 1, 1, 1, 1, 1, 1], causal: [1, 0, 0, 1, 1, 0, 1, 1, 1],
    "“it” is padding": [1, 1, 0, 1, 1, 0, 1, 1, 0] };
  const FILLS = { zero: "−∞; an empty row: 0", inf: "−∞", big: "−10⁹" };

  /** Weights (3 × 3) and outputs (3 × 2) behind a mask of nine: 1 for a key that is seen. */
  function attend(mask, fill) {
    const weights = SCORES.map((row, i) => {
      const scores = row.map((score, j) => (mask[3 * i + j] ? score : fill === "big" ? -1e9 : -Infinity));
      const largest = Math.max(...scores), powers = scores.map((score) => Math.exp(score - largest)); // −∞ − −∞: nan
      const sum = powers.reduce((a, b) => a + b);
      return powers.map((power) => (fill !== "inf" && largest === -Infinity ? 0 : power / sum));
    });
    const mixed = (row) => [0, 1].map((axis) => row.reduce((sum, share, k) => sum + share * VALUES[k][axis], 0));
    return { weights, outputs: weights.map(mixed) };
  }

  const number = (value, digits) => (Number.isNaN(value) ? "nan" : value.toFixed(digits));
  const EMPTY = { zero: "its weights are 0, and so is its output: nothing to read, nothing read",
    inf: "its weights are 0/0, which is nan",
    big: "all its scores are equal now, so it takes the mean of all that it may not see" };

  function build(figure) {
    let painting = null; // what a dragged pointer paints
    const paint = (k, seen) => {
      if (figure.state.mask[k] !== seen) figure.set({ mask: figure.state.mask.with(k, seen) });
    };
    const cells = Array.from({ length: 9 }, (_, k) => {
      const cell = element("button", { type: "button", class: "mask-cell", "data-cell": k,
        onclick: (event) => { if (!event.detail) paint(k, 1 - figure.state.mask[k]); }, // by a key, not by a pointer
        onpointerdown: (event) => {
          if (event.button) return;
          cell.releasePointerCapture(event.pointerId);
          paint(k, painting = 1 - figure.state.mask[k]);
        },
        onpointerenter: (event) => { if (event.buttons && painting !== null) paint(k, painting); } },
      element("span"), element("i", {}, element("u")));
      Explore.arrows(cell, 1, (dx, dy) => {
        const [row, column] = [Math.floor(k / 3) + dy, (k % 3) + dx];
        if (row >= 0 && row < 3 && column >= 0 && column < 3) cells[3 * row + column].focus();
      });
      return cell;
    });
    addEventListener("pointerup", () => { painting = null; });
    const outputs = NAMES.map(() => element("td", { class: "mask-output" }));
    const head = ["query", ...NAMES, "output"].map((text) => element("th", { scope: "col" }, text));
    const body = NAMES.map((name, i) => element("tr", {}, element("th", { scope: "row" }, name),
      ...cells.slice(3 * i, 3 * i + 3).map((cell) => element("td", {}, cell)), outputs[i]));
    const table = element("table", { class: "mask-table" }, element("thead", {}, element("tr", {}, ...head)),
      element("tbody", {}, ...body));
    figure.live.append(element("div", {}, element("p", { class: "explore-head" },
      "Press on a weight, and the query may not see the key, or may again; drag to paint."), table), figure.sentence);
    const starts = Object.entries(STARTS).map(([words, mask]) =>
      element("button", { type: "button", onclick: () => figure.set({ mask }) }, words));
    figure.controls.append(element("div", { class: "explore-choice", role: "group", "aria-label": "Begin with" },
      element("span", { "aria-hidden": "true" }, "Begin with"), ...starts));
    const fill = figure.choice("fill", "A hidden score becomes", FILLS);

    return (state) => {
      fill();
      if (!FILLS[state.fill]) state.fill = "zero";
      state.mask = state.mask.map((seen) => (seen ? 1 : 0));
      Object.values(STARTS).forEach((mask, k) =>
        starts[k].setAttribute("aria-pressed", String(`${mask}` === `${state.mask}`)));
      const { weights, outputs: mixed } = attend(state.mask, state.fill);
      cells.forEach((cell, k) => {
        const share = weights[Math.floor(k / 3)][k % 3], seen = state.mask[k];
        change(cell, { "aria-pressed": String(!!seen),
          "aria-label": `${NAMES[Math.floor(k / 3)]} may see ${NAMES[k % 3]}: weight ${number(share, 2)}` });
        cell.firstChild.textContent = number(share, 2);
        cell.querySelector("u").style.width = `${100 * (share || 0)}%`;
      });
      outputs.forEach((cell, i) => { cell.textContent = mixed[i].map((value) => number(value, 1)).join(", "); });
      const seen = NAMES.map((_, i) => state.mask.slice(3 * i, 3 * i + 3));
      const read = (i) => NAMES.flatMap((key, j) => (seen[i][j] ? [`${key} ${number(weights[i][j], 2)}`] : []));
      const told = NAMES.map((name, i) => (seen[i].includes(1) ? `“${name}” reads ${read(i).join(", ")}`
        : `“${name}” may see nothing: ${EMPTY[state.fill]}`));
      figure.say(`${told.join("; ")}. ` + (state.mask.includes(0)
        ? "What is hidden from a row is shared out in that row alone." : "Nothing is hidden."));
    };
  }

  Explore.add("mask", { state: { mask: STARTS.causal, fill: "zero" }, build, attend });
})();
