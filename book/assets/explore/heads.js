// Lesson 06: where every head of every layer of the sign model looks, for a patch or for all; and rolled out.
"use strict";

(() => {
  const { element, clamp, percent } = Explore;
  const LAYERS = 6, HEADS = 3, ACROSS = 6, COUNT = ACROSS ** 2 + 1, SIDE = 288, ROLLED = HEADS; // the fourth column

  /** For each layer its heads' weights, and the rollout up to it, as rows of the tokens that ask. */
  function tables(look) {
    const numbers = new Uint16Array(Explore.bytes(look.weights).buffer), size = COUNT * COUNT;
    const own = Array.from({ length: LAYERS * HEADS }, (_, k) =>
      Float32Array.from(numbers.subarray(k * size, (k + 1) * size), (number) => number / 65535));
    let total = Float32Array.from({ length: size }, (_, k) => (k % (COUNT + 1) ? 0 : 1));
    return Array.from({ length: LAYERS }, (_, layer) => {
      const heads = own.slice(layer * HEADS, (layer + 1) * HEADS), next = total.map((value) => value / 2);
      for (const map of heads)
        for (let i = 0; i < COUNT; i++)
          for (let j = 0; j < COUNT; j++) {
            const share = map[i * COUNT + j] / (2 * HEADS);
            for (let k = 0; k < COUNT; k++) next[i * COUNT + k] += share * total[j * COUNT + k];
          }
      total = next;
      return [...heads, total];
    });
  }

  /** The share of each patch in what a patch reads, or in the mean over all patches (asks = -1). */
  function shares(table, asks) {
    const rows = asks < 0 ? Array.from({ length: COUNT - 1 }, (_, k) => k + 1) : [asks + 1];
    const read = new Float64Array(COUNT - 1);
    for (const row of rows) for (let j = 1; j < COUNT; j++) read[j - 1] += table[row * COUNT + j];
    const sum = read.reduce((a, b) => a + b);
    return read.map((share) => share / sum);
  }

  const onHand = (look, read) => read.reduce((sum, share, patch) => sum + share * look.hand[patch], 0);

  /** On the mean of the pictures that show a hand: what all patches read from patches that show it, and their share. */
  function overHands(looks, layer, head) {
    const hands = looks.filter((look) => look.hand.length);
    const mean = (value) => hands.reduce((sum, look) => sum + value(look), 0) / hands.length;
    return [mean((look) => onHand(look, shares(look.tables[layer - 1][head], -1))),
      mean((look) => look.hand.reduce((a, b) => a + b) / (COUNT - 1))];
  }

  function build(figure) {
    let looks = [];
    const canvas = element("canvas", { width: SIDE, height: SIDE, tabindex: 0, role: "application",
      "aria-label": "The picture in patches. Arrow keys choose the patch that asks." });
    const grid = element("div", { class: "heads-grid", "aria-hidden": "true" });
    const cells = Array.from({ length: LAYERS * (HEADS + 1) }, (_, k) => element("canvas", { width: ACROSS, height: ACROSS,
      onclick: () => figure.set({ layer: 1 + Math.floor(k / 4), head: k % 4 }) }));
    grid.append(...["", "head 1", "head 2", "head 3", "rollout"].map((text) => element("span", {}, text)),
      ...cells.flatMap((cell, k) => (k % 4 ? [cell] : [element("span", {}, `layer ${1 + k / 4}`), cell])));
    figure.live.append(element("div", { class: "hand-stage" },
      element("p", { class: "explore-head" }, "Press on a patch: what does it read?"), canvas), grid);
    const controls = [
      figure.choice("picture", "Picture", { 0: "L", 1: "V", 2: "Y", 3: "a flower" }),
      figure.choice("head", "Show", { 0: "head 1", 1: "head 2", 2: "head 3", 3: "rollout" }),
      figure.slider("layer", "layer", { values: [1, 2, 3, 4, 5, 6] }),
    ];
    figure.controls.append(element("button", { type: "button", onclick: () => figure.set({ asks: -1 }) }, "All patches ask"));

    Explore.want("looks").then(async (data) => {
      looks = await Promise.all(data.map(async (one) => ({ ...one, tables: tables(one),
        image: await Explore.image(`data:image/png;base64,${one.png}`) })));
      figure.draw();
    }, (error) => figure.say(`${error.message}.`));

    const ask = (column, row) => figure.set({ asks: clamp(row, 0, ACROSS - 1) * ACROSS + clamp(column, 0, ACROSS - 1) });
    canvas.addEventListener("pointerdown", (event) => {
      const box = canvas.getBoundingClientRect();
      const cell = box.width / ACROSS;
      ask(Math.floor((event.clientX - box.left) / cell), Math.floor((event.clientY - box.top) / cell));
    });
    Explore.arrows(canvas, 1, (dx, dy) => {
      const at = figure.state.asks < 0 ? 14 : figure.state.asks;
      ask((at % ACROSS) + dx, Math.floor(at / ACROSS) + dy);
    });

    return (state) => {
      controls.forEach((update) => update());
      if (!looks.length) return;
      const whole = (value, most) => clamp(Math.round(value), 0, most);
      const look = looks[whole(state.picture, 3)], asks = clamp(Math.round(state.asks), -1, COUNT - 2);
      const layer = clamp(Math.round(state.layer), 1, LAYERS), head = whole(state.head, ROLLED);
      const read = shares(look.tables[layer - 1][head], asks), most = Math.max(...read);
      const pen = canvas.getContext("2d"), size = SIDE / ACROSS;
      pen.drawImage(look.image, 0, 0, SIDE, SIDE);
      read.forEach((share, patch) => {
        pen.fillStyle = `rgba(6, 10, 25, ${0.72 * (1 - share / most)})`;
        pen.fillRect((patch % ACROSS) * size, Math.floor(patch / ACROSS) * size, size, size);
      });
      if (asks >= 0) {
        pen.lineWidth = 3;
        pen.strokeStyle = "#f0a45c";
        pen.strokeRect((asks % ACROSS) * size + 1.5, Math.floor(asks / ACROSS) * size + 1.5, size - 3, size - 3);
      }
      cells.forEach((cell, k) => {
        const small = shares(look.tables[Math.floor(k / 4)][k % 4], asks), top = Math.max(...small);
        const dots = new ImageData(ACROSS, ACROSS);
        small.forEach((share, patch) => dots.data.set([31, 95, 168, Math.round(255 * share / top)], 4 * patch));
        cell.getContext("2d").putImageData(dots, 0, 0);
        cell.classList.toggle("is-shown", k === 4 * (layer - 1) + head);
      });
      const view = head === ROLLED ? `Rolled out to layer ${layer}` : `Layer ${layer}, head ${head + 1}`;
      const who = asks < 0 ? "the patches read" : "the framed patch reads";
      if (!look.hand.length) figure.say(`${view}: there is no hand here, and the map lights up all the same: ` +
        `${percent(most)} is read from one patch of ${COUNT - 1}.`);
      else {
        const [mean, part] = overHands(looks, layer, head);
        figure.say(`${view}: ${percent(onHand(look, read))} of what ${who} comes from patches that show the hand, ` +
          `which are ${percent(look.hand.reduce((a, b) => a + b) / (COUNT - 1))} of all.` +
          (asks < 0 ? ` On the mean of the three hands: ${percent(mean)}, from ${percent(part)} of the patches.` : ""));
      }
    };
  }

  Explore.add("heads", { state: { picture: 1, layer: 6, head: 3, asks: -1 }, build, tables, shares, overHands });
})();
