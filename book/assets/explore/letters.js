// Lesson 09: which letter? Ten hands, a reader and the model, one after the other.
"use strict";

(() => {
  const { element, percent } = Explore;
  const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

  /** How many of the hands that have been answered are right. */
  const score = (said, hands) => [...said].filter((letter, k) => letter === hands[k].letter).length;

  function build(figure) {
    let hands = [];
    const picture = element("img", { width: 288, height: 288, alt: "A rendered hand that forms a letter" });
    const keys = element("div", { class: "letters-keys", role: "group",
      "aria-label": "Which letter is it? The keys A to Z work as well" },
      ...[...ALPHABET].map((letter) => element("button", { type: "button", onclick: () => answer(letter) }, letter)));
    const marks = element("ol", { class: "letters-marks", "aria-hidden": "true" });
    const next = element("button", { type: "button", class: "letters-next",
      onclick: () => {
        figure.set({ turn: figure.state.turn + 1 });
        keys.firstChild.focus({ preventScroll: true });
      } }, "Next hand");
    figure.live.append(element("div", { class: "hand-stage" }, picture),
      element("div", {}, element("p", { class: "explore-head" }, "Which letter is it?"), keys, next, marks));
    Explore.want("ten-hands").then((found) => { hands = found; figure.draw(); }, (error) => figure.say(`${error.message}.`));

    function answer(letter) {
      const { said, turn } = figure.state;
      if (said.length <= turn && turn < hands.length) figure.set({ said: said + letter });
      if (next.offsetParent) next.focus({ preventScroll: true });
    }
    keys.addEventListener("keydown", (event) => {
      const letter = event.key.toUpperCase();
      if (event.ctrlKey || event.metaKey || event.altKey || !/^[A-Z]$/.test(letter)) return;
      answer(letter);
    });

    return (state) => {
      if (!hands.length) return;
      state.said = String(state.said).toUpperCase().replace(/[^A-Z]/g, "").slice(0, hands.length);
      state.turn = Math.min(Math.max(0, Math.round(state.turn)), state.said.length, hands.length - 1);
      const { said, turn } = state, done = said.length, hand = hands[turn], own = said[turn];
      picture.src = `data:image/jpeg;base64,${hand.jpeg}`;
      for (const key of keys.children) {
        key.disabled = Boolean(own) && key.textContent !== own;
        key.setAttribute("aria-pressed", String(key.textContent === own));
      }
      next.hidden = !own || turn === hands.length - 1;
      marks.replaceChildren(...hands.map(({ letter }, k) => {
        if (k >= done) return element("li", {}, k === done ? "?" : "·");
        const right = said[k] === letter;
        return element("li", { class: right ? "is-right" : "is-wrong" }, `${said[k]} ${right ? "✓" : `✗ ${letter}`}`);
      }));
      if (!done) {
        figure.say(`Hand 1 of ${hands.length}: press a letter. The model has seen none of these hands; its answers come after yours.`);
        return;
      }
      const right = score(said, hands), model = score(hands.slice(0, done).map((one) => one.said).join(""), hands);
      const last = hands[done - 1], mine = said[done - 1];
      const judged = mine === last.letter ? `${mine} is right` : `It is ${last.letter}, not ${mine}`;
      figure.say(`${judged}. The model says ${last.said} (${percent(last.sure)}). ` +
        `After ${done} of ${hands.length}: you ${right}, the model ${model}.`);
    };
  }

  Explore.add("letters", { state: { turn: 0, said: "" }, build, score });
})();
