// Lesson 03: a position as the hands of clocks; a step turns each by an angle of its own, wherever it begins.
"use strict";

(() => {
  const { element, change, clamp } = Explore;
  const LENGTH = 64, DIM = 64, STEPS = [1, 2, 5, 10], LAST = LENGTH - 1 - Math.max(...STEPS);
  const PAIRS = [0, 4, 8, 12, 16, 20]; // of channels, that are shown
  const KINDS = ["now", "then"], table = Text.sinusoidal(LENGTH, DIM);
  const row = (place) => table.subarray(place * DIM, (place + 1) * DIM);
  const angle = (pair, steps) => steps * 10000 ** (-2 * pair / DIM); // radians
  const alike = (a, b) => row(a).reduce((dot, value, i) => dot + value * row(b)[i], 0);

  function build(figure) {
    const clocks = PAIRS.map((pair) => {
      const [now, then] = KINDS.map((kind) => element("line", { x1: 0, y1: 0, class: `clocks-${kind}` }));
      const text = element("text", { y: 1.75, "text-anchor": "middle" });
      const drawing = element("svg", { viewBox: "-1.4 -1.75 2.8 3.7", "aria-hidden": "true" },
        element("circle", { r: 1, class: "explore-area" }), then, now, text,
        element("text", { y: -1.25, "text-anchor": "middle", class: "clocks-name" }, `${2 * pair}, ${2 * pair + 1}`));
      return { pair, now, then, text, drawing };
    });
    const line = element("path", { class: "clocks-line" });
    const marks = KINDS.map((kind) => [element("line", { y1: 0, class: `clocks-${kind}` }),
      element("circle", { r: 0.9, class: `clocks-dot-${kind}` }), element("text", { "text-anchor": "middle" })]);
    const curve = element("svg", { viewBox: "-7 -36 73 46", class: "clocks-curve", "aria-hidden": "true" },
    ...[0, 16, 32].flatMap((level) => [
      element("line", { x1: 0, x2: 63, y1: -level, y2: -level, class: "explore-grid" }),
      element("text", { x: -1.5, y: 1 - level, "text-anchor": "end" }, String(level))]),
    ...[0, 16, 32, 48, 63].map((place) => element("text", { x: place, y: 5, "text-anchor": "middle" }, String(place))),
    element("text", { x: 31.5, y: 9.3, "text-anchor": "middle" }, "position"), line, ...marks.flat());
    figure.live.append(
      element("div", {}, element("p", { class: "explore-head" },
        "Six of the 32 pairs of channels: blue is this position, orange the one after the step."),
      element("div", { class: "clocks-faces" }, ...clocks.map(({ drawing }) => drawing))),
      element("div", {}, element("p", { class: "explore-head" }, "Dot product of this position's row with every row"), curve));
    const updates = [
      figure.slider("position", "position t", { values: Array.from({ length: LAST + 1 }, (_, k) => k) }),
      figure.choice("step", "Step", Object.fromEntries(STEPS.map((step) => [step, step]))),
    ];

    return (state) => {
      const step = STEPS.includes(state.step) ? state.step : 5, now = clamp(Math.round(state.position), 0, LAST);
      Object.assign(state, { step, position: now });
      updates.forEach((update) => update());
      for (const clock of clocks) {
        const hand = (place) => ({ x2: 0.95 * row(place)[2 * clock.pair], y2: -0.95 * row(place)[2 * clock.pair + 1] });
        change(clock.now, hand(now));
        change(clock.then, hand(now + step));
        const turn = 180 * angle(clock.pair, step) / Math.PI;
        clock.text.textContent = `+${turn < 10 ? turn.toFixed(1) : Math.round(turn)}°`;
      }
      const dots = Array.from({ length: LENGTH }, (_, place) => alike(now, place));
      line.setAttribute("d", `M${dots.map((dot, place) => `${place},${-dot}`).join("L")}`);
      [now, now + step].forEach((place, k) => {
        const [stem, dot, text] = marks[k];
        change(stem, { x1: place, x2: place, y2: -dots[place] });
        change(dot, { cx: place, cy: -dots[place] });
        change(text, { x: place + (k ? 3.6 : 0), y: -dots[place] - 1.8 });
        text.textContent = dots[place].toFixed(1);
      });
      const [most, least] = [angle(0, step), angle(PAIRS.at(-1), step).toFixed(3)];
      figure.say(`From position ${now} to ${now + step} the fastest hand turns by ${most} radian${step > 1 ? "s" : ""}, the ` +
        `slowest of these six by ${least}: as much as from any other position. The dot product of the two rows is ` +
        `${dots[now + step].toFixed(1)}, of at most 32; it too depends on the step alone.`);
    };
  }

  Explore.add("clocks", { state: { position: 32, step: 5 }, build, angle, alike });
})();
