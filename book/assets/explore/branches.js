// Lesson 07: the same branches one after the other, or side by side; how far apart the two are, and what gamma does.
"use strict";

(() => {
  const { element, change } = Explore;
  const START = [1, 2], MOST = 4, WIDE = 340, LINE = 62, BOX = 116, BELOW = 158;
  const WEIGHTS = [[[0.9, -0.4], [0.3, 0.5]], [[-0.6, 0.8], [0.7, 0.2]],
    [[0.5, 0.6], [-0.8, 0.4]], [[0.2, -0.9], [0.6, 0.7]]];
  const GAMMAS = [1, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001];
  const ORDERS = { sequence: "one after the other", parallel: "side by side" };

  /** A branch of this small example: two numbers in, two out. */
  const branch = (number, [a, b]) => WEIGHTS[number].map(([p, q]) => Math.tanh(p * a + q * b));
  const plus = (x, change, gamma) => x.map((value, k) => value + gamma * change[k]);
  const apart = (x, y) => Math.hypot(x[0] - y[0], x[1] - y[1]);

  /** The token after each branch in sequence, the token with all side by side; how far it moved, and the gap. */
  function compare(count, gamma) {
    const tokens = [START];
    for (let k = 0; k < count; k++) tokens.push(plus(tokens[k], branch(k, tokens[k]), gamma));
    const side = WEIGHTS.slice(0, count).reduce((x, _, k) => plus(x, branch(k, START), gamma), START);
    return { tokens, side, moved: apart(tokens[count], START), gap: apart(tokens[count], side) };
  }

  const few = (number) => (number < 1e-3 ? number.toExponential(1) : number.toFixed(number < 0.1 ? 4 : 2));
  const pair = (token) => `(${token.map((value) => value.toFixed(2)).join(", ")})`;
  const path = (points) => `M${points.map((point) => point.join(",")).join("L")}`;

  /** The graph: the token runs along the top, branches hang below it. */
  function graph(count, parallel, { tokens, side }) {
    const first = 20, last = WIDE - 20, each = (last - first) / count, parts = [];
    const line = (points, kind) => parts.push(element("path", { d: path(points), class: kind }));
    const text = (words, x, y, anchor = "middle", kind = "") =>
      parts.push(element("text", { x, y, "text-anchor": anchor, class: kind }, words));
    const sum = (x) => {
      parts.push(element("circle", { cx: x, cy: LINE, r: 8, class: "branches-sum" }));
      text("+", x, LINE + 5);
    };
    const end = last - 16;
    line([[first - 12, LINE], [WIDE - 4, LINE]], "branches-token");
    if (parallel) line([[first, LINE], [first, BELOW], [first + (count - 0.5) * each - 8, BELOW]], "branches-way");
    for (let k = 0; k < count; k++) {
      const from = first + k * each, middle = from + each / 2 - 8, joins = parallel ? end : from + each - 16;
      if (parallel) line([[middle, BELOW], [middle, BOX], [middle, 86], [end, 86], [end, LINE]], "branches-way");
      else line([[from, LINE], [from, BOX], [joins, BOX], [joins, LINE]], "branches-way");
      parts.push(element("rect", { x: middle - 19, y: BOX - 14, width: 38, height: 28, rx: 5, class: "branches-box" }));
      text(`γF${"₁₂₃₄"[k]}`, middle, BOX + 5, "middle", "branches-name");
      if (!parallel) {
        sum(joins);
        if (k + 1 < count) text(pair(tokens[k + 1]), joins, k % 2 ? 44 : 28);
      }
    }
    if (parallel) sum(end);
    text(pair(START), first - 16, 44, "start");
    text(pair(parallel ? side : tokens[count]), WIDE - 2, count > 1 && !parallel && count % 2 ? 28 : 44, "end");
    return parts;
  }

  function build(figure) {
    const drawn = element("svg", { viewBox: `0 14 ${WIDE} 156`, class: "branches-graph", role: "img",
      "aria-label": "The token as a line, and the branches that add to it." });
    const chart = element("svg", { viewBox: "0 0 340 210", class: "branches-graph", role: "img",
      "aria-label": "How far the token moves, and how far apart the two orders end, for each gamma." });
    const x = (gamma) => 40 - 82 * Math.log10(gamma), y = (length) => 30 - 23 * Math.log10(length);
    const word = (text, left, top, kind = "", anchor = "middle") =>
      element("text", { x: left, y: top, "text-anchor": anchor, class: kind }, text);
    const lines = { moved: element("path", { class: "branches-moved" }),
      gap: element("path", { class: "branches-gap" }) };
    const dots = { moved: element("circle", { r: 5, class: "branches-moved-dot" }),
      gap: element("circle", { r: 5, class: "branches-gap-dot" }) };
    for (const power of [0, -1, -2, -3])
      chart.append(word(String(10 ** power), x(10 ** power), 208, "droppath-aside"),
        element("line", { x1: x(10 ** power), x2: x(10 ** power), y1: 18, y2: 190, class: "branches-grid" }));
    for (const power of [0, -2, -4, -6])
      chart.append(word({ 0: "1", "-2": "0.01", "-4": "10⁻⁴", "-6": "10⁻⁶" }[power], 34, y(10 ** power) + 4,
        "droppath-aside", "end"));
    chart.append(word("length", 2, 12, "droppath-aside", "start"), word("gamma", x(0.3), 208, "droppath-aside"),
      ...Object.values(lines), ...Object.values(dots), word("the token moves", 334, 62, "branches-moved-name", "end"));
    const gapName = word("gap", 334, 0, "branches-gap-name", "end");
    chart.append(gapName);
    figure.live.append(
      element("div", {}, element("p", { class: "explore-head" },
        "A token of two numbers, and what branches add to it"), drawn),
      element("div", {}, element("p", { class: "explore-head" }, "Both axes are logarithmic"), chart));
    const controls = [
      figure.choice("order", "Branches", ORDERS),
      figure.choice("count", "How many", { 1: "1", 2: "2", 3: "3", 4: "4" }),
      figure.slider("gamma", "gamma", { values: GAMMAS }),
    ];

    return (state) => {
      controls.forEach((update) => update());
      const count = Math.min(MOST, Math.max(1, Math.round(state.count))), parallel = state.order === "parallel";
      const gamma = GAMMAS.includes(state.gamma) ? state.gamma : 0.1, found = compare(count, gamma);
      drawn.replaceChildren(...graph(count, parallel, found));
      for (const name of ["moved", "gap"]) {
        const shown = count > 1 || name === "moved";
        lines[name].setAttribute("d", shown ? path(GAMMAS.map((g) => [x(g), y(compare(count, g)[name])])) : "");
        change(dots[name], shown ? { cx: x(gamma), cy: y(found[name]), r: 5 } : { r: 0 });
      }
      gapName.textContent = count > 1 ? "gap" : "";
      gapName.setAttribute("y", count > 1 ? y(compare(count, 1e-3).gap) - 12 : 0);
      if (count === 1) {
        figure.say(`One branch moves the token by ${few(found.moved)}. With one there is no order: no gap.`);
        return;
      }
      const smaller = compare(count, gamma / 10), times = (name) => Math.round(found[name] / smaller[name]);
      figure.say(`${count} branches with gamma ${gamma} move the token by ${few(found.moved)}. Side by side and ` +
        `one after the other end ${few(found.gap)} apart. With a tenth of this gamma the token moves ` +
        `${times("moved")} times less, and the gap is ${times("gap")} times smaller.`);
    };
  }

  Explore.add("branches", { state: { order: "sequence", count: 2, gamma: 0.1 }, build, compare, WEIGHTS });
})();
