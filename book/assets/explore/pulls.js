// Lesson 10: two losses pull at one backbone. C divides the letter's pull, so it turns the sum of both.
"use strict";

(() => {
  const { element, change } = Explore;
  const CONSTANTS = [1, 1.5, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000];
  const HEADS = { new: "new", trained: "trained" };
  const LOSSES = { mse: "squared error", l1: "L1", giou: "GIoU" };
  const few = (number) => (number >= 100 ? number.toFixed(0) : number.toPrecision(2));
  const degrees = (angle) => `${Math.round((180 * angle) / Math.PI)}°`;

  /** The two pulls at a C, and their sum: lengths, and the angles of letter and sum from the box's direction. */
  function mix(row, c) {
    const letter = row.letter_pull / c, box = row.box_pull, angle = Math.acos(row.cosine);
    const [along, across] = [box + letter * row.cosine, letter * Math.sin(angle)];
    return { letter, box, angle, sum: Math.hypot(along, across), turned: Math.atan2(across, along) };
  }

  function build(figure) {
    let rows = [];
    const word = (text, x, y, kind, anchor = "middle") => element("text", { x, y, "text-anchor": anchor, class: kind }, text);
    const arrows = element("svg", { viewBox: "0 0 340 220", class: "branches-graph", role: "img",
      "aria-label": "The pulls of letter and box as arrows, and their sum." });
    const arms = Object.fromEntries(["box", "letter", "sum"].map((name) => [name, {
      line: element("line", { x1: 110, y1: 190, class: `pulls-${name}` }),
      head: element("polygon", { class: `pulls-${name}-head` }),
      label: word({ box: "box", letter: "letter / C", sum: "sum" }[name], 0, 0, `pulls-${name}-name`) }]));
    arrows.append(...Object.values(arms).flatMap(({ line, head, label }) => [line, head, label]));
    const chart = element("svg", { viewBox: "0 0 340 220", class: "branches-graph", role: "img",
      "aria-label": "The length of both pulls for every C." });
    const x = (c) => 44 + 80 * Math.log10(c);
    let y = () => 0;
    const lines = { letter: element("line", { class: "pulls-letter" }), box: element("line", { class: "pulls-box" }) };
    const marks = { now: element("line", { y1: 22, y2: 196, class: "pulls-now" }),
      losses: element("line", { y1: 22, y2: 196, class: "pulls-losses" }) };
    const names = { letter: word("letter / C", 0, 0, "pulls-letter-name", "start"),
      box: word("box", 290, 0, "pulls-box-name", "end"),
      losses: word("losses equal", 0, 18, "droppath-aside") };
    const ticks = Array.from({ length: 6 }, () => word("", 38, 0, "droppath-aside", "end"));
    chart.append(...[1, 10, 100, 1000].map((c) => word(String(c), x(c), 214, "droppath-aside")),
      word("C", 318, 214, "droppath-aside"), ...ticks,
      ...Object.values(lines), ...Object.values(marks), ...Object.values(names));
    figure.live.append(
      element("div", {}, element("p", { class: "explore-head" },
        "The two gradients, and their sum: the longest drawn at full length"), arrows),
      element("div", {}, element("p", { class: "explore-head" },
        "Pull at the shared weights (both axes logarithmic)"), chart));
    const controls = [
      figure.slider("c", "C", { values: CONSTANTS }),
      figure.choice("heads", "Heads", HEADS),
      figure.choice("loss", "Loss of the box", LOSSES),
    ];
    Explore.want("two-pulls").then((found) => { rows = found; figure.draw(); }, (error) => figure.say(`${error.message}.`));

    function point(arm, angle, length, place) {
      const end = [110 + 165 * length * Math.cos(angle), 190 - 165 * length * Math.sin(angle)];
      const back = (side) => [end[0] - 12 * Math.cos(angle + side), end[1] + 12 * Math.sin(angle + side)];
      change(arm.line, { x2: end[0], y2: end[1] });
      arm.head.setAttribute("points", length > 0.02 ? [end, back(0.4), back(-0.4)].join(" ") : "");
      change(arm.label, { x: end[0] + place[0], y: end[1] + place[1], "text-anchor": place[2] });
    }

    return (state) => {
      controls.forEach((update) => update());
      const row = rows.find((one) => one.heads === state.heads && one.loss === state.loss);
      if (!row) return;
      const c = Math.min(1000, Math.max(1, state.c)), now = mix(row, c), most = Math.max(now.letter, now.box, now.sum);
      point(arms.box, 0, now.box / most, [4, 18, "middle"]);
      point(arms.letter, now.angle, now.letter / most, [-8, -4, "end"]);
      point(arms.sum, now.turned, now.sum / most, [10, -4, "start"]);
      const equal = { pulls: row.letter_pull / row.box_pull, losses: row.letter_loss / row.box_loss };
      const lengths = [row.letter_pull, row.letter_pull / 1000, row.box_pull].map(Math.log10);
      const [low, high] = [Math.floor(Math.min(...lengths)), Math.ceil(Math.max(...lengths))];
      y = (length) => 190 - (160 * (Math.log10(length) - low)) / (high - low);
      ticks.forEach((tick, k) => {
        const power = high - k;
        const shown = power > -3 ? String(+(10 ** power).toFixed(2)) : `10⁻${"³⁴⁵⁶"[-power - 3]}`;
        tick.textContent = power >= low ? shown : "";
        tick.setAttribute("y", power >= low ? y(10 ** power) + 4 : 0);
      });
      change(lines.letter, { x1: x(1), y1: y(row.letter_pull), x2: x(1000), y2: y(row.letter_pull / 1000) });
      change(lines.box, { x1: x(1), y1: y(row.box_pull), x2: x(1000), y2: y(row.box_pull) });
      change(marks.now, { x1: x(c), x2: x(c) });
      const seen = equal.losses <= 1000;
      change(marks.losses, { x1: x(equal.losses), x2: x(equal.losses), visibility: seen ? "visible" : "hidden" });
      change(names.losses, { x: x(Math.min(equal.losses, 800)), visibility: seen ? "visible" : "hidden" });
      change(names.letter, { x: x(1000) + 3, y: y(row.letter_pull / 1000) + 4 });
      change(names.box, { y: y(row.box_pull) - 8 });
      const ratio = now.letter / now.box;
      const who = ratio >= 1 ? `the letter pulls ${few(ratio)} times as hard as the box`
        : `the box pulls ${few(1 / ratio)} times as hard as the letter`;
      figure.say(`C = ${c}: ${who}, and the sum of both gradients lies ${degrees(now.angle - now.turned)} ` +
        `from the letter's and ${degrees(now.turned)} from the box's. They pull alike at C = ${few(equal.pulls)}; ` +
        `the losses are equal at C = ${few(equal.losses)}.`);
    };
  }

  Explore.add("pulls", { state: { c: 10, heads: "new", loss: "mse" }, build, mix });
})();
