// Lesson 07: which residual branches a step of training keeps, image by image, and how deep that makes the network.
"use strict";

(() => {
  const { element, change, percent } = Explore;
  const DEPTH = 12, BRANCHES = 2 * DEPTH, IMAGES = 8, LEFT = 22, STEP = 11.5, ROW = 19, CURVE = 54, TALLEST = 72;
  const RULES = { linear: "grows with depth", constant: "the same for all" };
  const RATES = [0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5];

  /** The drop rate of each block: from 0 in the first to the rate in the last, or the same in all. */
  const rates = ({ rate, rule }) =>
    Array.from({ length: DEPTH }, (_, block) => (rule === "constant" ? rate : (rate * block) / (DEPTH - 1)));

  /** How many branches are kept on the mean, and by how much draws differ. */
  function expected(own) {
    const mean = own.reduce((sum, r) => sum + 2 * (1 - r), 0);
    return { mean, deviation: Math.sqrt(own.reduce((sum, r) => sum + 2 * r * (1 - r), 0)) };
  }

  /** Numbers from 0 to 1 that are the same for the same seed: mulberry32. */
  function randoms(seed) {
    let a = (seed * 0x9e3779b1) >>> 0;
    return () => {
      a = (a + 0x6d2b79f5) >>> 0;
      let t = Math.imul(a ^ (a >>> 15), a | 1);
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
  }

  /** For each image, which of its branches are kept in this step: two of each block, drawn by themselves. */
  function draw(state) {
    const next = randoms(state.step), own = rates(state);
    return Array.from({ length: IMAGES }, () => Array.from({ length: BRANCHES }, (_, k) => next() >= own[k >> 1]));
  }

  function build(figure) {
    const x = (k) => LEFT + STEP * k + 3 * (k >> 1), y = (image) => CURVE + 12 + ROW * image, end = x(BRANCHES) + 4;
    const drawing = element("svg", { viewBox: `0 0 ${end + 30} ${y(IMAGES) + 18}`, class: "droppath-grid", role: "img",
      "aria-label": "Twelve blocks of two branches each, for eight images: filled are those that are kept." });
    const curve = Array.from({ length: DEPTH }, (_, block) =>
      element("rect", { x: x(2 * block), width: 2 * STEP - 2, class: "droppath-rate" }));
    const most = element("text", { x: end, y: CURVE - 2, class: "droppath-aside" });
    const cells = Array.from({ length: IMAGES }, (_, image) => Array.from({ length: BRANCHES }, (_, k) =>
      element("rect", { x: x(k), y: y(image), width: STEP - 2, height: ROW - 5, rx: 2 })));
    const sums = cells.map((_, image) => element("text", { x: end, y: y(image) + 11 }));
    const word = (text, left, top, anchor = "start") =>
      element("text", { x: left, y: top, "text-anchor": anchor, class: "droppath-aside" }, text);
    drawing.append(word("drop rate of each block", LEFT, 11), ...curve, most, ...cells.flat(), ...sums,
      ...cells.map((_, image) => word(String(image + 1), 14, y(image) + 11, "end")),
      word("block 1", LEFT, y(IMAGES) + 11), word("block 12", x(BRANCHES) - 5, y(IMAGES) + 11, "end"));
    figure.live.append(element("div", {}, element("p", { class: "explore-head" },
      "A row is an image of the batch, a square a branch (attention, MLP): filled is kept. Right: how many."), drawing));
    const controls = [
      figure.slider("rate", "rate", { values: RATES, show: (rate) => rate.toFixed(2) }),
      figure.choice("rule", "The rate", RULES),
    ];
    figure.controls.append(element("button", { type: "button",
      onclick: () => figure.set({ step: figure.state.step + 1 }) }, "Next step"));

    return (state) => {
      controls.forEach((update) => update());
      const own = rates(state), kept = draw(state), { mean, deviation } = expected(own);
      own.forEach((r, block) => {
        const height = Math.max(1, TALLEST * Math.min(r, 0.5));
        change(curve[block], { y: CURVE - height, height });
      });
      most.textContent = own.at(-1).toFixed(2);
      const counts = kept.map((row, image) => {
        row.forEach((is, k) => cells[image][k].setAttribute("class", is ? "droppath-kept" : "droppath-dropped"));
        const count = row.filter(Boolean).length;
        sums[image].textContent = count;
        return count;
      });
      if (!state.rate) {
        figure.say(`Nothing is dropped: every image goes through all ${BRANCHES} branches, as in evaluation.`);
        return;
      }
      const [least, top] = [Math.min(...counts), Math.max(...counts)], rate = own.at(-1);
      figure.say(`Step ${state.step}: the images keep ${least === top ? least : `${least} to ${top}`} of ${BRANCHES} ` +
        `branches, each image others. Expected are ${mean.toFixed(1)}, give or take ${deviation.toFixed(1)}: on average ` +
        `a network of ${(mean / 2).toFixed(1)} blocks is trained. Block ${DEPTH} is dropped in ${percent(rate)} of the ` +
        `draws; what it keeps is multiplied by ${(1 / (1 - rate)).toFixed(2)}.`);
    };
  }

  Explore.add("droppath", { state: { rate: 0.2, rule: "linear", step: 1 }, build, rates, expected, draw });
})();
