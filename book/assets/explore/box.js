// Lesson 09: draw a box around a hand; its IoU beside those of the model and of one box for all pictures.
"use strict";

(() => {
  const { element, change, clamp, percent } = Explore;
  const ASKED = [0.5, 0.75, 0.9];
  const round = (number) => Math.round(1000 * number) / 1000;

  /** Intersection over union of two boxes [left, top, right, bottom]; 0 for one that is inverted. */
  function iou(a, b) {
    const area = ([left, top, right, bottom]) => Math.max(0, right - left) * Math.max(0, bottom - top);
    const both = area([Math.max(a[0], b[0]), Math.max(a[1], b[1]), Math.min(a[2], b[2]), Math.min(a[3], b[3])]);
    const union = area(a) + area(b) - both;
    return union > 0 && area(a) > 0 && area(b) > 0 ? both / union : 0;
  }

  function build(figure) {
    let data = null, start = null;
    const kinds = ["true", "own", "model", "blind"];
    const rects = Object.fromEntries(kinds.map((kind) => [kind, element("rect", { class: `box-${kind}` })]));
    const photo = element("image", { width: 1, height: 1 });
    const ground = element("rect", { width: 1, height: 1, class: "box-ground" });
    const drawing = element("svg", { viewBox: "0 0 1 1", role: "group", "aria-label": "Picture of a hand, with boxes" },
      photo, rects.blind, rects.model, rects.true, rects.own, ground);
    const corners = [["upper left", 0, 1], ["lower right", 2, 3]].map(([name, x, y]) => {
      const handle = element("circle", { r: 0.03, tabindex: 0, role: "slider", class: "explore-handle box-corner",
        "aria-label": `${name} corner of your box`, "aria-valuemin": 0, "aria-valuemax": 1 });
      const move = (to) => {
        const box = [...figure.state.box];
        box[x] = round(clamp(to[0], 0, 1));
        box[y] = round(clamp(to[1], 0, 1));
        figure.set({ box });
      };
      Explore.drag(handle, drawing, (...to) => move(to));
      Explore.arrows(handle, 1 / 96, (dx, dy) => move([figure.state.box[x] + dx, figure.state.box[y] + dy]));
      drawing.append(handle);
      return { handle, x, y };
    });
    Explore.drag(ground, drawing, (x, y, first) => {
      const to = [x, y].map((part) => round(clamp(part, 0, 1)));
      if (first) start = to;
      const ends = [Math.min, Math.max].flatMap((end) => [0, 1].map((k) => end(start[k], to[k])));
      figure.set({ box: ends });
    });
    const body = element("tbody");
    const head = ["whose box", "IoU", ...ASKED.map((least) => `@${100 * least}`)]
      .map((text) => element("th", { scope: "col" }, text));
    figure.live.append(element("div", { class: "hand-stage" }, drawing),
      element("div", {}, element("p", { class: "explore-head" }, "Press and drag to draw yours; the true box is dashed."),
        element("table", { class: "box-table" }, element("thead", {}, element("tr", {}, ...head)), body)));
    const next = figure.choice("picture", "Picture", Object.fromEntries([..."12345678"].map((name, k) => [k, name])));
    Explore.want("hands").then((found) => { data = found; figure.draw(); }, (error) => figure.say(`${error.message}.`));

    return (state) => {
      next();
      if (!data) return;
      const picture = data.pictures[clamp(Math.round(state.picture), 0, 7)];
      change(photo, { href: `data:image/jpeg;base64,${picture.jpeg}` });
      const boxes = { true: picture.true, own: state.box, model: picture.box, blind: data.blind };
      for (const kind of kinds) {
        const [left, top, right, bottom] = boxes[kind];
        change(rects[kind], { x: left, y: top, width: Math.max(0, right - left), height: Math.max(0, bottom - top) });
      }
      for (const { handle, x, y } of corners) {
        const [left, top] = [state.box[x], state.box[y]];
        change(handle, { cx: left, cy: top, "aria-valuenow": left,
          "aria-valuetext": `${percent(left)} from the left, ${percent(top)} from the top` });
      }
      const rows = { own: "yours", model: "the model's", blind: "the same for all" };
      const got = Object.fromEntries(Object.keys(rows).map((kind) => [kind, iou(boxes[kind], picture.true)]));
      body.replaceChildren(...Object.entries(rows).map(([kind, words]) => element("tr", {},
        element("th", { scope: "row", class: `box-name-${kind}` }, words), element("td", {}, got[kind].toFixed(2)),
        ...ASKED.map((least) => element("td", {}, got[kind] >= least ? "✓" : "–")))));
      const counts = ASKED.filter((least) => got.own >= least).map((least) => `@${100 * least}`);
      figure.say(`Your box has an IoU of ${got.own.toFixed(2)} with the true one: it counts ` +
        `${counts.length ? `at IoU${counts.join(" and IoU")}` : "nowhere"}. ` +
        `A box that never looks has ${got.blind.toFixed(2)} here, the model ${got.model.toFixed(2)}.`);
    };
  }

  Explore.add("box", { state: { picture: 1, box: [0.2, 0.15, 0.75, 0.7] }, build, iou });
})();
