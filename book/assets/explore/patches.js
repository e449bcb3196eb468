// Lesson 05: a photo cut into patches of any side that divides it; one patch alone; the patches in another order.
"use strict";

(() => {
  const { element, clamp } = Explore;
  const SIZE = 224, SIDES = [112, 56, 32, 28, 16, 14, 8, 7];
  const words = (number) => number.toLocaleString("en");

  /** Tokens with the class token, numbers in a patch, attention weights of a head. */
  function count(side) {
    const patches = (SIZE / side) ** 2;
    return { patches, numbers: 3 * side * side, weights: (patches + 1) ** 2 };
  }

  /** An order of so many things that is always the same, and looks like none. */
  function shuffled(length) {
    const order = Array.from({ length }, (_, k) => k);
    for (let k = length - 1, seed = 12345; k > 0; k--) {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      const other = seed % (k + 1);
      [order[k], order[other]] = [order[other], order[k]];
    }
    return order;
  }

  function build(figure) {
    let photo = null;
    const canvas = element("canvas", { width: 2 * SIZE, height: 2 * SIZE, tabindex: 0, role: "application",
      "aria-label": "The photo in patches. Arrow keys choose a patch." });
    const alone = element("canvas", { width: SIZE, height: SIZE, role: "img", "aria-label": "The framed patch, enlarged" });
    figure.live.append(element("div", { class: "hand-stage" },
      element("p", { class: "explore-head" }, "the photo: press on a patch"), canvas),
      element("div", {}, element("p", { class: "explore-head" }, "the framed patch"), alone));
    const controls = [
      figure.slider("side", "side of a patch, pixels", { values: SIDES }),
      figure.choice("order", "Order", { read: "as read", mixed: "mixed" }),
    ];
    Explore.want("photo").then(async (data) => {
      photo = await Explore.image(`data:image/jpeg;base64,${data}`);
      figure.draw();
    }, (error) => figure.say(`${error.message}.`));
    const choose = (x, y) => figure.set({ at: [x, y].map((share) => clamp(share, 0, 0.999)) });
    canvas.addEventListener("pointerdown", (event) => {
      const box = canvas.getBoundingClientRect();
      choose((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
    });
    Explore.arrows(canvas, 1, (dx, dy) => {
      const step = figure.state.side / SIZE, [x, y] = figure.state.at;
      choose(x + dx * step, y + dy * step);
    });

    return (state) => {
      controls.forEach((update) => update());
      if (!photo) return;
      const side = SIDES.includes(state.side) ? state.side : 16, across = SIZE / side;
      const order = state.order === "mixed" ? shuffled(across ** 2) : null;
      const pen = canvas.getContext("2d"), lens = alone.getContext("2d"), shown = 2 * side;
      const from = (place) => [(place % across) * side, Math.floor(place / across) * side, side, side];
      for (let place = 0; place < across ** 2; place++)
        pen.drawImage(photo, ...from(order ? order[place] : place),
          (place % across) * shown, Math.floor(place / across) * shown, shown, shown);
      pen.strokeStyle = "rgba(255, 255, 255, 0.75)";
      pen.lineWidth = 1;
      for (let line = shown; line < 2 * SIZE; line += shown)
        for (const [x, y, toX, toY] of [[line, 0, line, 2 * SIZE], [0, line, 2 * SIZE, line]]) {
          pen.beginPath();
          pen.moveTo(x, y);
          pen.lineTo(toX, toY);
          pen.stroke();
        }
      const [column, row] = state.at.map((share) => Math.floor(clamp(share, 0, 0.999) * across));
      pen.strokeStyle = "#f0a45c";
      pen.lineWidth = 5;
      pen.strokeRect(column * shown, row * shown, shown, shown);
      const place = row * across + column;
      lens.imageSmoothingEnabled = false;
      lens.drawImage(photo, ...from(order ? order[place] : place), 0, 0, SIZE, SIZE);
      const { patches, numbers, weights } = count(side);
      figure.say(`Patches of ${side} by ${side} pixels: ${words(patches)} of them, each of ${words(numbers)} numbers. ` +
        `With the class token, a head computes ${words(weights)} attention weights.` +
        (order ? " Without positions a transformer cannot tell this order from the other." : ""));
    };
  }

  Explore.add("patches", { state: { side: 16, order: "read", at: [0.32, 0.5] }, build, count });
})();
