// Lesson 10: the embeddings and the first blocks frozen: what is trained, and what a step then takes.
"use strict";

(() => {
  const { element, change } = Explore;
  const WIDE = 340, HEAD = 512, LETTERS = 26;
  const MODELS = {
    ours: { name: "the course's ViT", dim: 192, depth: 6, tokens: 37,
      stem: [[3, 32], [32, 64], [64, 64], [64, 128], [128, 128], [128, 192], [192, 192]] },
    base: { name: "ViT-B/16", dim: 768, depth: 12, tokens: 197, patch: 3 * 16 * 16 },
  };
  const words = (number) => number.toLocaleString("en");
  const mib = (bytes) => `${(bytes / 2 ** 20).toFixed(bytes < 10 * 2 ** 20 ? 1 : 0)} MiB`;

  /** The weights of each part of a model with two heads of one hidden layer each. */
  function weights({ dim, depth, tokens, stem, patch }) {
    const embed = stem // 3 × 3 convolutions with a norm each, then one of 1 × 1
      ? stem.reduce((sum, [ins, outs]) => sum + 9 * ins * outs + 2 * outs, (stem.at(-1)[1] + 1) * dim) : (patch + 1) * dim;
    const hidden = 2 * (dim + 1) * HEAD;
    return { embeddings: embed + (1 + tokens) * dim, blocks: Array(depth).fill(12 * dim ** 2 + 13 * dim),
      norm: 2 * dim, heads: hidden + (HEAD + 1) * (LETTERS + 4) };
  }

  /** What is trained with so many blocks frozen (-1: not even the embeddings), in weights and in bytes of 32 bits. */
  function count(model, frozen) {
    const { embeddings, blocks, norm, heads } = weights(MODELS[model]), add = (a, b) => a + b;
    const all = blocks.reduce(add, embeddings + norm + heads);
    const trained = all - (frozen < 0 ? 0 : blocks.slice(0, frozen).reduce(add, embeddings));
    return { all, trained, gradients: 4 * trained, states: 8 * trained }; // AdamW keeps two means of each gradient
  }

  function build(figure) {
    let rows = [];
    const chain = element("svg", { viewBox: `0 0 ${WIDE} 92`, class: "branches-graph", role: "img",
      "aria-label": "The parts of the model from front to end: embeddings, blocks, heads." });
    const list = element("ol", { class: "hand-bars frozen-bars", "aria-hidden": "true" });
    figure.live.append(
      element("div", {}, element("p", { class: "explore-head" },
        "A gradient goes from the heads to the left, and stops where nothing is trained"), chain),
      element("div", {}, element("p", { class: "explore-head" },
        "What a step needs, as a share of when all is trained"), list));
    const frozen = figure.slider("frozen", "frozen blocks", { values: Array.from({ length: 14 }, (_, k) => k - 1),
      show: (k) => (k < 0 ? "nothing" : String(k)) });
    const slide = figure.controls.querySelector("input");
    const model = figure.choice("model", "Model", { ours: "ours", base: "ViT-B/16" });
    Explore.want("frozen-steps").then((found) => { rows = found; figure.draw(); }, (error) => figure.say(`${error.message}.`));

    return (state) => {
      const name = MODELS[state.model] ? state.model : "ours", { depth } = MODELS[name];
      const most = Math.min(depth, Math.max(-1, Math.round(state.frozen)));
      if (most !== state.frozen) state.frozen = most;
      slide.max = depth + 1;
      frozen();
      model();
      const parts = ["embed", ...Array.from({ length: depth }, (_, k) => String(k + 1)), "heads"];
      const each = (WIDE - 100) / depth;
      let left = 0;
      chain.replaceChildren(...parts.flatMap((part, place) => {
        const wide = place && place <= depth ? each : 50, cold = place <= depth && place <= most;
        const box = element("rect", { x: left + 1, y: 30, width: wide - 3, height: 38, rx: 5,
          class: cold ? "frozen-cold" : "frozen-warm" });
        const text = element("text", { x: left + wide / 2 - 0.5, y: 53, "text-anchor": "middle",
          class: cold ? "frozen-cold-name" : "frozen-warm-name" }, part);
        left += wide;
        return [box, text];
      }));
      const stop = most < 0 ? 2 : 50 + each * most + 1; // the gradient comes so far
      chain.append(element("line", { x1: WIDE - 4, x2: stop + 10, y1: 16, y2: 16, class: "frozen-back" }),
        element("polygon", { points: `${stop},16 ${stop + 12},10 ${stop + 12},22`, class: "frozen-back-head" }),
        element("text", { x: WIDE - 4, y: 86, "text-anchor": "end", class: "droppath-aside" }, "trained: blue"),
        element("text", { x: 2, y: 86, class: "droppath-aside" }, most < 0 ? "" : "frozen: grey"));
      const now = count(name, most), row = name === "ours" && rows.find((one) => one.frozen === most), whole = rows[0];
      const lines = [["weights", now.trained / now.all, words(now.trained)],
        ["gradients", now.trained / now.all, mib(now.gradients)],
        ["AdamW", now.trained / now.all, mib(now.states)]];
      if (row) lines.push(["activations", row.kept_bytes / whole.kept_bytes, mib(row.kept_bytes)],
        ["operations", row.operations / whole.operations, `${(row.operations / 1e9).toFixed(0)} billion`],
        ["time", Math.min(1, row.step_seconds / whole.step_seconds), `${Math.round(1000 * row.step_seconds)} ms`]);
      Explore.bars(list, lines);
      const what = most < 0 ? "Nothing is frozen" : `${most} of ${depth} blocks are frozen, and the embeddings`;
      figure.say(`${what}: ${words(now.trained)} of ${words(now.all)} weights are trained, and need ` +
        `${mib(now.gradients + now.states)} for gradients and AdamW's two means. ` + (row
        ? `A step with 24 pictures kept ${mib(row.kept_bytes)} for its way back and took ` +
          `${Math.round(1000 * row.step_seconds)} ms, where all of it takes ${Math.round(1000 * whole.step_seconds)} ms (recorded, one thread).`
        : "Counted from the shapes alone; its time is not recorded here."));
    };
  }

  Explore.add("frozen", { state: { frozen: 3, model: "ours" }, build, count });
})();
