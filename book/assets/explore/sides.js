// Lesson 11: where a model looks for each side of the box: the softmax over the places of its map, and their mean.
"use strict";

(() => {
  const { element, change, clamp, percent } = Explore;
  const SHOWN = 288, COVER = 3; // pixels of the picture; places that a cover hides, along each axis
  const SIDES = { left: "left", top: "top", right: "right", bottom: "bottom" };
  const NAMES = Object.keys(SIDES);

  /** The maps of a picture: for each side how much each place counts, sums 1, and the offsets, in places. */
  function unpack(picture, side) {
    const numbers = (part, kind, most) => {
      const all = new kind(Explore.bytes(part.bytes).buffer);
      return part.scales.map((scale, k) =>
        Float64Array.from(all.subarray(k * side ** 2, (k + 1) * side ** 2), (value) => (scale * value) / most));
    };
    return { offsets: numbers(picture.offsets, Int8Array, 127), shares: numbers(picture.shares, Uint8Array, 255) };
  }

  /** Whether a place lies under the cover whose middle is given in places; -1 is no cover. */
  const hidden = (place, side, [column, row]) => column >= 0 &&
    Math.abs((place % side) - column) < COVER / 2 && Math.abs(Math.floor(place / side) - row) < COVER / 2;

  /** Where a side lies, 0 to 1: the mean of place and offset, by what each place counts; what is hidden counts nothing. */
  function locate(maps, which, side, cover = [-1, -1]) {
    const shares = maps.shares[which].map((share, place) => (hidden(place, side, cover) ? 0 : share));
    const whole = shares.reduce((a, b) => a + b);
    const along = (place) => (which % 2 ? Math.floor(place / side) : place % side);
    const middle = (place) => (along(place) + 0.5 + maps.offsets[which][place]) / side;
    const at = shares.reduce((sum, share, place) => sum + (share / whole) * middle(place), 0);
    return { shares: shares.map((share) => share / whole), at };
  }

  function build(figure) {
    let data = null;
    const canvas = element("canvas", { width: SHOWN, height: SHOWN, tabindex: 0, role: "application",
      "aria-label": "The picture and the map over it. Arrow keys move a cover over the map, Delete takes it away." });
    const rects = { true: element("rect", { class: "box-true" }), box: element("rect", { class: "box-model" }) };
    const found = element("line", { class: "sides-found" });
    const over = element("svg", { viewBox: "0 0 1 1", "aria-hidden": "true" }, rects.true, rects.box, found);
    const small = NAMES.map((name) => element("canvas", { width: 96, height: 96,
      onclick: () => figure.set({ side: name }) }));
    const grid = element("div", { class: "sides-grid", "aria-hidden": "true" },
      ...small.map((one, k) => element("div", {}, element("span", {}, NAMES[k]), one)));
    figure.live.append(element("div", { class: "hand-stage" },
      element("p", { class: "explore-head" }, "Orange counts for this side. Press to leave places out."),
      element("div", { class: "hand-picture" }, canvas, over)),
    element("div", {}, element("p", { class: "explore-head" }, "all four sides"), grid));
    const controls = [figure.choice("side", "Side", SIDES), null];
    const remove = element("button", { type: "button", onclick: () => figure.set({ cover: [-1, -1] }) }, "Leave nothing out");
    figure.controls.append(remove);
    Explore.want("side-maps").then(async (given) => {
      const pictures = await Promise.all(given.pictures.map(async (one) => ({ ...one, maps: unpack(one, given.side),
        image: await Explore.image(`data:image/jpeg;base64,${one.jpeg}`) })));
      data = { ...given, pictures };
      controls[1] = figure.choice("picture", "Picture", Object.fromEntries(pictures.map((one, k) => [k, one.letter])));
      figure.draw();
    }, (error) => figure.say(`${error.message}.`));

    const cover = (...to) => figure.set({ cover: to.map((at) => clamp(Math.round(at), 0, data.side - 1)) });
    const press = (event) => {
      const box = canvas.getBoundingClientRect(), each = box.width / data.side;
      cover((event.clientX - box.left) / each - 0.5, (event.clientY - box.top) / each - 0.5);
    };
    canvas.addEventListener("pointerdown", (event) => {
      if (!data) return;
      canvas.setPointerCapture(event.pointerId);
      press(event);
    });
    canvas.addEventListener("pointermove", (event) => { if (canvas.hasPointerCapture(event.pointerId)) press(event); });
    Explore.arrows(canvas, 1, (dx, dy) => {
      const [column, row] = figure.state.cover;
      if (data) cover((column < 0 ? data.side >> 1 : column) + dx, (row < 0 ? data.side >> 1 : row) + dy);
    });
    canvas.addEventListener("keydown", (event) => {
      if (event.key !== "Delete" && event.key !== "Backspace") return;
      event.preventDefault();
      figure.set({ cover: [-1, -1] });
    });

    /** A picture, orange where a place counts, dark where it does not. */
    function paint(onto, picture, shares, size) {
      const pen = onto.getContext("2d"), most = Math.max(...shares), cell = size / data.side;
      pen.drawImage(picture.image, 0, 0, size, size);
      shares.forEach((share, place) => {
        const part = share / most;
        pen.fillStyle = `rgba(${255 * part}, ${180 * part}, ${60 * part + 20}, ${0.45 + 0.25 * part})`;
        pen.fillRect((place % data.side) * cell, Math.floor(place / data.side) * cell, cell, cell);
      });
    }

    const frame = (rect, [left, top, right, bottom]) =>
      change(rect, { x: left, y: top, width: Math.max(0, right - left), height: Math.max(0, bottom - top) });

    return (state) => {
      controls.forEach((update) => update?.());
      if (!data) return;
      const picture = data.pictures[clamp(Math.round(state.picture), 0, data.pictures.length - 1)];
      const which = Math.max(0, NAMES.indexOf(state.side)), off = state.cover[0] >= 0, { side } = data;
      const all = NAMES.map((_, k) => locate(picture.maps, k, side, state.cover)), { shares, at } = all[which];
      const plain = locate(picture.maps, which, side).at;
      paint(canvas, picture, shares, SHOWN);
      if (off) {
        const pen = canvas.getContext("2d"), cell = SHOWN / side, edge = (k) => Math.max(0, state.cover[k] - 1) * cell;
        const end = (k) => Math.min(side, state.cover[k] + 2) * cell;
        pen.fillStyle = "#808080";
        pen.fillRect(edge(0), edge(1), end(0) - edge(0), end(1) - edge(1));
      }
      small.forEach((one, k) => {
        paint(one, picture, all[k].shares, 96);
        one.classList.toggle("is-shown", k === which);
      });
      frame(rects.true, picture.true);
      frame(rects.box, all.map((one) => one.at));
      change(found, which % 2 ? { x1: 0, x2: 1, y1: at, y2: at } : { x1: at, x2: at, y1: 0, y2: 1 });
      remove.hidden = !off;
      const best = shares.indexOf(Math.max(...shares)), from = which % 2 ? "top" : "left";
      const near = shares.reduce((sum, share, place) => sum + (Math.abs((place % side) - (best % side)) < 2 &&
        Math.abs(Math.floor(place / side) - Math.floor(best / side)) < 2 ? share : 0), 0);
      figure.say(off
        ? `Without these places the ${NAMES[which]} side is put at ${percent(at)} from the ${from}, with them at ` +
          `${percent(plain)}; it lies at ${percent(picture.true[which])}.`
        : `For the ${NAMES[which]} side ${percent(near)} of the weight lies on one place of ${side ** 2} and its ` +
          `neighbours. The mean of all places puts it at ${percent(at)} from the ${from}; it lies at ${percent(picture.true[which])}.`);
    };
  }

  Explore.add("sides", { state: { picture: 0, side: "top", cover: [-1, -1] }, build, unpack, locate });
})();
