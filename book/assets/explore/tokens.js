// Lesson 01: keys and a query to drag in the plane, a factor on the scores; weights, output, entropy.
"use strict";

(() => {
  const { element, change, clamp } = Explore;
  const NAMES = ["cat", "mat", "it"], VALUES = [[10, 0], [0, 10], [0, 0]], REACH = 3; // keys and query: -3 to 3
  const BESIDE = { cat: [0, 0.6, "middle"], mat: [-0.3, 0.1, "end"], it: [-0.3, 0.45, "end"], query: [0, -0.4, "middle"] };
  const FACTORS = [0, 0.25, 0.5, 1, 1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32];

  /** Attention of one query, d_k = 2: weights, output, entropy in bits, and how fast the first weight grows. */
  function attend({ query, cat, mat, it, factor }) {
    const scores = [cat, mat, it].map((key) => factor * (query[0] * key[0] + query[1] * key[1]) / Math.SQRT2);
    const largest = Math.max(...scores), powers = scores.map((score) => Math.exp(score - largest));
    const sum = powers.reduce((a, b) => a + b), weights = powers.map((power) => power / sum);
    const output = [0, 1].map((axis) => weights.reduce((mean, share, k) => mean + share * VALUES[k][axis], 0));
    const entropy = weights.reduce((bits, share) => bits - (share > 0 ? share * Math.log2(share) : 0), 0);
    return { weights, output, entropy, slope: weights[0] * (1 - weights[0]) };
  }

  const few = (number) => (number >= 0.005 ? number.toFixed(2) : number > 0 ? "below 0.01" : "0");

  function build(figure) {
    const at = ([x, y]) => [x, -y], plane = element("svg", { viewBox: "-3.1 -3.4 6.2 6.6", class: "tokens-plane" });
    for (let k = -REACH; k <= REACH; k++)
      plane.append(element("line", { x1: k, x2: k, y1: -REACH, y2: REACH, class: k ? "explore-grid" : "explore-axis" }),
        element("line", { y1: k, y2: k, x1: -REACH, x2: REACH, class: k ? "explore-grid" : "explore-axis" }));
    plane.append(element("text", { x: 3, y: 0.5, "text-anchor": "end", class: "tokens-axis" }, "animal"),
      element("text", { x: 0.12, y: -3.1, class: "tokens-axis" }, "thing"));
    const arms = {};
    for (const name of ["cat", "mat", "it", "query"]) {
      const asks = name === "query", mark = asks ? " tokens-asks" : "";
      const line = element("line", { x1: 0, y1: 0, class: asks ? "tokens-query" : "tokens-key" });
      const handle = element("circle", { r: 0.2, tabindex: 0, role: "slider", "aria-valuemin": -REACH,
        "aria-valuemax": REACH, "aria-label": asks ? "query of it" : `key of ${name}`, class: `explore-handle${mark}` });
      const label = element("text", { class: `tokens-label${mark}` }, asks ? "query of “it”" : name);
      const tidy = (part) => clamp(Math.round(10 * part) / 10, -REACH, REACH) + 0; // no -0
      const move = (x, y) => figure.set({ [name]: [tidy(x), tidy(-y)] });
      Explore.drag(handle, plane, move);
      Explore.arrows(handle, 0.1, (dx, dy) => move(figure.state[name][0] + dx, -figure.state[name][1] + dy));
      arms[name] = { line, handle, label };
    }
    plane.append(...Object.values(arms).flatMap(({ line, label }) => [line, label]));
    plane.append(...Object.values(arms).map(({ handle }) => handle));

    const out = element("svg", { viewBox: "-2.4 -12 15.4 14.5", class: "tokens-triangle", "aria-hidden": "true" });
    const path = element("path", { class: "tokens-path" }), dot = element("circle", { r: 0.5, class: "tokens-output" });
    out.append(element("polygon", { points: "10,0 0,-10 0,0", class: "explore-area" }), path, dot,
      ...[["cat", 10, 1.8], ["mat", 0, -10.6], ["it", 0, 1.8]].map(([name, x, y]) =>
        element("text", { x, y, "text-anchor": "middle" }, name)));
    const bars = element("ol", { class: "hand-bars tokens-bars", "aria-hidden": "true" });
    figure.live.append(element("div", {}, element("p", { class: "explore-head" }, "keys, and the query: drag them"), plane),
      element("div", {}, element("p", { class: "explore-head" }, "weights of “it”"), bars,
        element("p", { class: "explore-head" }, "output, among the three values"), out));
    const factor = figure.slider("factor", "factor on the scores", { values: FACTORS });

    return (state) => {
      const said = attend(state);
      for (const [name, { line, handle, label }] of Object.entries(arms)) {
        const [x, y] = at(state[name]), [dx, dy, anchor] = BESIDE[name];
        change(line, { x2: x, y2: y });
        change(handle, { cx: x, cy: y, "aria-valuenow": state[name][0], "aria-valuetext": state[name].join(", ") });
        change(label, { x: x + dx, y: y + dy, "text-anchor": anchor });
      }
      Explore.bars(bars, NAMES.map((name, k) => [name, said.weights[k], said.weights[k].toFixed(2)]));
      const walked = FACTORS.filter((value) => value < state.factor).concat(state.factor)
        .map((value) => attend({ ...state, factor: value }).output);
      path.setAttribute("d", `M${walked.map(([x, y]) => `${x},${-y}`).join("L")}`);
      change(dot, { cx: said.output[0], cy: -said.output[1] });
      factor();
      const best = said.weights.indexOf(Math.max(...said.weights));
      figure.say(`“it” reads ${NAMES.map((name, k) => `${name} ${few(said.weights[k])}`).join(", ")}: the entropy is ` +
        `${said.entropy.toFixed(2)} bits of at most 1.58, and the slope of the weight of “cat” is ${said.slope.toFixed(4)}. ` +
        (said.entropy > 1.57 ? "It takes the plain mean of all three." : said.entropy < 0.05
          ? `A hard choice: it is ${NAMES[best]} and nothing else.` : `It leans towards ${NAMES[best]}.`));
    };
  }

  Explore.add("tokens", { state: { query: [2, 0], cat: [1, 0], mat: [0, 1], it: [0, 0], factor: 1 }, build, attend });
})();
