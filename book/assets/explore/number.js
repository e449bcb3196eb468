// Lesson 03: a number in words, written token by token by the course's Transformer; which words each token reads.
"use strict";

(() => {
  const { element, clamp, percent } = Explore;
  const UNITS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"];
  const TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
  const SAMPLES = [307040, 19, 90006, 700000, 518273], MOST = 7, EPOCHS = [0, 1, 2, 8];

  /** A number from 1 to 999,999 in English words, as vitcourse.data.sequences.in_words. */
  function inWords(number) {
    const below = (part) => {
      const hundreds = Math.floor(part / 100), rest = part % 100;
      const words = hundreds ? [UNITS[hundreds - 1], "hundred"] : [];
      if (hundreds && rest) words.push("and");
      if (rest > 19) words.push(TENS[Math.floor(rest / 10) - 2]);
      const unit = rest > 19 ? rest % 10 : rest;
      return unit ? [...words, UNITS[unit - 1]] : words;
    };
    const thousands = Math.floor(number / 1000), rest = number % 1000;
    const words = thousands ? [...below(thousands), "thousand"] : [];
    if (thousands && rest && rest < 100) words.push("and");
    return [...words, ...below(rest)];
  }

  const bare = (word) => word.replace(/[<>]/g, "");

  /** What the model writes for a number, token by token. */
  function written(recorded, weights, number) {
    const id = (word) => recorded.words.indexOf(word);
    const ends = { pad: id("<pad>"), start: id("<start>"), end: id("<end>"), most: MOST };
    return Text.write(weights, recorded.heads, inWords(number).map(id), ends)
      .map((token) => ({ ...token, word: bare(recorded.words[token.id]) }));
  }

  function build(figure) {
    let recorded = null, models = [];
    const field = element("input", { type: "text", inputmode: "numeric", maxlength: 6, size: 7,
      "aria-label": "Your number, from 1 to 999999", oninput: () => {
        if (/^[1-9]\d{0,5}$/.test(field.value)) figure.set({ number: Number(field.value), token: 1 });
        else figure.say("A number from 1 to 999999, please: digits, and nothing else.");
      } });
    const table = element("table", { class: "number-table" }), head = element("p", { class: "explore-head" });
    const bars = element("ol", { class: "hand-bars number-bars", "aria-hidden": "true" });
    figure.live.append(element("div", {}, element("p", { class: "explore-head" },
      "The words that are read, and the tokens that are written: press on one."), table), element("div", {}, head, bars));
    figure.controls.append(element("label", { class: "explore-choice" }, "Your number", field));
    const updates = [
      figure.choice("number", "or", Object.fromEntries(SAMPLES.map((number) => [number, number.toLocaleString("en")]))),
      figure.slider("token", "token", { values: Array.from({ length: MOST }, (_, k) => k + 1) }),
      figure.slider("epochs", "epochs trained", { values: EPOCHS }),
    ];
    const failed = (error) => figure.say(`${error.message}.`);
    Text.recorded("numbers").then((found) => { recorded = found; figure.draw(); }, failed);

    return (state) => {
      const number = clamp(Math.round(state.number), 1, 999999), words = inWords(number);
      const moment = EPOCHS.includes(state.epochs) ? EPOCHS.indexOf(state.epochs) : EPOCHS.length - 1;
      Object.assign(state, { number, epochs: EPOCHS[moment] });
      updates.forEach((update) => update());
      if (field.value !== String(number)) field.value = number;
      if (!recorded) return;
      if (!models[moment]) {
        recorded.at(moment).then(({ weights }) => { models[moment] = weights; figure.draw(); }, failed);
        return;
      }
      const tokens = written(recorded, models[moment], number), asked = table.contains(document.activeElement);
      const place = clamp(Math.round(state.token), 1, tokens.length) - 1, token = tokens[place];
      const tops = tokens.map(({ word }, k) => element("th", { scope: "col" }, element("button", { type: "button",
        "aria-pressed": String(k === place), onclick: () => figure.set({ token: k + 1 }) }, word)));
      const cells = (j) => tokens.map(({ reads }, k) => element("td", { title: percent(reads[j]),
        class: k === place ? "is-shown" : k > place && "is-later" },
      element("i", { style: `--side: ${Math.sqrt(reads[j])}` })));
      const rows = words.map((word, j) => element("tr", {}, element("th", { scope: "row" }, word), ...cells(j)));
      table.replaceChildren(element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "read"), ...tops)),
        element("tbody", {}, ...rows));
      if (asked) tops[place].firstChild.focus();
      const likely = token.shares.map((share, id) => [bare(recorded.words[id]), share]).sort((a, b) => b[1] - a[1]);
      const before = tokens.slice(0, place).map(({ word }) => word).join(" ");
      head.textContent = `What comes after ${before ? `“${before}”` : "the start"}?`;
      Explore.bars(bars, likely.slice(0, 4).map(([word, share]) => [word, share, `${(100 * share).toFixed(1)}%`]));
      const text = tokens.map(({ word }) => word).filter((word) => word !== "end");
      const own = text.join(text.every((word) => word.length === 1) ? "" : " ");
      const most = token.reads.indexOf(Math.max(...token.reads)), verdict = own === String(number) ? "right" : "wrong";
      figure.say(`“${words.join(" ")}”: it writes ${own || "nothing"}, which is ${verdict}. Token ${place + 1} of ` +
        `${tokens.length} is “${token.word}”, with ${percent(token.shares[token.id])}; for it, it reads “${words[most]}” ` +
        `most, with ${percent(token.reads[most])}.${token.word === "0" ? " No word says zero." : ""}`);
    };
  }

  Explore.add("number", { state: { number: 307040, token: 4, epochs: 8 }, build, inWords, written, late: true });
})();
