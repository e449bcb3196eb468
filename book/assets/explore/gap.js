// Lesson 04: a word of a sentence is hidden, and the course's small BERT fills the gap.
"use strict";

(() => {
  const { element, clamp, percent } = Explore;
  const SAMPLES = [["An exception is raised.", 2], ["The names are bound in the local namespace.", 6],
    ["If the value is not found, an error is raised.", 8], ["The cat sat on the mat because it was tired.", 11]]; // and a gap

  /** The shares of all words where a piece of a sentence, counted from 0, is hidden. */
  function guess(recorded, weights, pieces, gap) {
    const id = (word) => recorded.words.indexOf(word);
    const ids = ["[CLS]", ...pieces, "[SEP]"].map(id).with(gap + 1, id("[MASK]"));
    return Text.fill(weights, recorded.heads, ids, gap + 1);
  }

  function build(figure) {
    let recorded = null, models = [], shown = "", chips = [], updates = [];
    const line = element("div", { class: "gap-line", role: "group", "aria-label": "The sentence. Press on a word to hide it." });
    const bars = element("ol", { class: "hand-bars gap-bars", "aria-hidden": "true" });
    const field = element("input", { type: "text", maxlength: 150, "aria-label": "Your own sentence",
      oninput: () => figure.set({ text: field.value, gap: 0 }) });
    figure.live.append(
      element("div", {}, element("p", { class: "explore-head" }, "Press on a word to hide it."), line,
        element("label", { class: "gap-own" }, "Your own sentence", field)),
      element("div", {}, element("p", { class: "explore-head" }, "What the model says of the gap"), bars));
    const samples = SAMPLES.map(([text, gap], k) =>
      element("button", { type: "button", "aria-label": text, onclick: () => figure.set({ text, gap }) }, String(k + 1)));
    figure.controls.append(element("div", { class: "explore-choice", role: "group", "aria-label": "Sentence" },
      element("span", { "aria-hidden": "true" }, "Sentence"), ...samples));
    const failed = (error) => figure.say(`${error.message}.`);
    Text.recorded("bert").then((found) => {
      recorded = found;
      updates = [figure.slider("moment", "steps trained", { values: found.rows.map((_, k) => k),
        show: (k) => found.rows[clamp(Math.round(k), 0, found.rows.length - 1)].steps.toLocaleString("en") })];
      figure.draw();
    }, failed);

    return (state) => {
      if (field.value !== state.text) field.value = state.text; // else the cursor would go to its end
      SAMPLES.forEach(([text], k) => samples[k].setAttribute("aria-pressed", String(text === state.text)));
      if (!recorded) return;
      const moment = clamp(Math.round(state.moment), 0, recorded.rows.length - 1);
      updates.forEach((update) => update());
      if (!models[moment]) {
        recorded.at(moment).then(({ weights }) => { models[moment] = weights; figure.draw(); }, failed);
        return;
      }
      const pieces = Text.pieces(state.text, recorded.words).slice(0, recorded.length - 2);
      const gap = clamp(Math.round(state.gap), 0, Math.max(0, pieces.length - 1));
      if (shown !== pieces.join(" ")) {
        shown = pieces.join(" ");
        chips = pieces.map((piece, k) => {
          const chip = element("button", { type: "button", onclick: () => figure.set({ gap: k }) });
          Explore.arrows(chip, 1, (dx) => {
            const to = clamp(k + dx, 0, pieces.length - 1);
            figure.set({ gap: to });
            chips[to].focus();
          });
          return chip;
        });
        line.replaceChildren(...chips);
      }
      if (!pieces.length) {
        bars.replaceChildren();
        figure.say("Write a sentence, and press on a word of it.");
        return;
      }
      chips.forEach((chip, k) => {
        chip.textContent = k === gap ? "?" : pieces[k];
        chip.setAttribute("aria-pressed", String(k === gap));
        chip.setAttribute("aria-label", k === gap ? `gap, for ${pieces[k]}` : `hide ${pieces[k]}`);
      });
      const stood = pieces[gap], shares = guess(recorded, models[moment], pieces, gap);
      const order = shares.map((share, id) => [recorded.words[id], share]).sort((a, b) => b[1] - a[1]);
      const place = order.findIndex(([word]) => word === stood);
      const { steps, hidden_in_8_bits: all } = recorded.rows[moment];
      const fine = (share) => (share < 0.1 ? `${(100 * share).toFixed(1)}%` : percent(share));
      Explore.bars(bars, order.slice(0, 5).map(([word, share]) =>
        [word === stood ? `${word} ✓` : word, share, fine(share)]));
      const [[first, sure]] = order;
      const found = place ? `“${stood}”, which stood there, comes at place ${place + 1}, with ${fine(order[place][1])}.`
        : "That is what stood there.";
      figure.say(`After ${steps.toLocaleString("en")} steps its first answer is “${first}”, with ${fine(sure)}. ${found} ` +
        `It is right at ${percent(all)} of the hidden words of unseen text.`);
    };
  }

  Explore.add("gap", { state: { text: SAMPLES[0][0], gap: SAMPLES[0][1], moment: 3 }, build, guess, late: true });
})();
