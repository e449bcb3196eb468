// Name this hand: letter and box, computed here; a part can be covered, and an own photo or the camera be asked about.
"use strict";

(() => {
  const { element, change, clamp, percent } = Explore;
  const SHOWN = 288, COVER = 0.25, GREY = 128; // pixels of the picture, the cover's share of its side, its colour
  const HOW = "As recorded. Press on the picture, or use the arrow keys: that covers a part, and this page computes the answer.";
  const NAMES = ["thumb", "index finger", "middle finger", "ring finger", "little finger", "palm", "arm"];
  const COLOURS = [28, 205, 140, 265, 330, 55].map((hue) => `hsla(${hue}, 85%, 55%, 0.62)`);
  COLOURS.push("rgba(160, 160, 160, 0.55)");
  /** Which of these a part is: three bones of each finger, thumb first, then palm and arm; 0 is nothing. */
  const group = (part) => (part > 15 ? part - 11 : Math.floor((part - 1) / 3));
  const VIEWS = { box: "the box", reads: "what is read", parts: "parts of the hand" };

  /** A picture as pixels on a canvas: the middle square of whatever can be drawn. */
  function squared(source, width, height) {
    const side = Math.min(width, height), canvas = element("canvas", { width: side, height: side });
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    pen.drawImage(source, (width - side) / 2, (height - side) / 2, side, side, 0, 0, side, side);
    return canvas;
  }

  const decoded = async (address) => {
    const image = await Explore.image(address);
    return squared(image, image.naturalWidth, image.naturalHeight);
  };

  function build(figure) {
    let pictures = [], model = null, waking = null, own = null, plain = null, stream = null, turn = 0;
    const canvas = element("canvas", { width: SHOWN, height: SHOWN, tabindex: 0, role: "application",
      "aria-label": "The picture. Arrow keys move a cover over it, Delete takes the cover away." });
    const frame = element("rect", { class: "hand-frame" });
    const over = element("svg", { viewBox: "0 0 1 1", "aria-hidden": "true" }, frame);
    const thumbs = element("div", { class: "hand-thumbs", role: "group", "aria-label": "Pictures" });
    const letter = element("span", { class: "hand-letter" }), sure = element("span");
    const bars = element("ol", { class: "hand-bars", "aria-hidden": "true" });
    const note = element("p", { class: "hand-note" });
    const file = element("input", { type: "file", accept: "image/*", hidden: true,
      onchange: () => { if (file.files[0]) photo(file.files[0]); file.value = ""; } });
    const camera = element("button", { type: "button", "aria-pressed": "false", onclick: film }, "Camera");
    figure.live.append(
      element("div", { class: "hand-stage" }, element("div", { class: "hand-picture" }, canvas, over), thumbs),
      element("div", { class: "hand-answer" }, element("p", { class: "hand-says" }, letter, sure), bars,
        figure.sentence, note));
    const view = figure.choice("view", "Show", VIEWS);
    figure.controls.append(element("div", { class: "explore-choice" }, element("button", { type: "button",
      onclick: () => file.click() }, "Your own photo"), camera, file));

    // The pictures and what was recorded of them are small, and come with the page; the model comes when it is wanted.
    Explore.want("hands").then(async (data) => {
      pictures = await Promise.all(data.pictures.map(async (one) => ({ ...one,
        canvas: await decoded(`data:image/jpeg;base64,${one.jpeg}`) })));
      thumbs.append(...pictures.map((one, place) => {
        const small = element("canvas", { width: 72, height: 72 });
        small.getContext("2d").drawImage(one.canvas, 0, 0, 72, 72);
        return element("button", { type: "button", "aria-label": `Picture ${place + 1}`,
          onclick: () => { leave(); figure.set({ picture: place, cover: [-1, -1] }); wake(); } }, small);
      }));
      figure.draw();
    }, (error) => figure.say(`${error.message}.`));

    /** Load the model, once, and compute from now on. */
    function wake() {
      waking ??= (async () => {
        note.textContent = "Loading the model, 4.9 MB, from the folder of this page …";
        try {
          model = Vit.load(await Explore.want("sign-model"));
          figure.draw();
        } catch (error) {
          note.textContent = `${error.message}.`;
          waking = null;
        }
      })();
      return waking;
    }

    function leave() {
      stream?.getTracks().forEach((track) => track.stop());
      stream = own = null;
      camera.setAttribute("aria-pressed", "false");
    }

    async function photo(blob) {
      leave();
      const address = URL.createObjectURL(blob);
      try {
        own = await decoded(address);
        figure.set({ cover: [-1, -1] });
        await wake();
      } catch (error) { figure.say(`${error.message[0].toUpperCase()}${error.message.slice(1)}.`); }
      URL.revokeObjectURL(address);
    }

    async function film() {
      if (stream) { leave(); figure.draw(); return; }
      try {
        stream = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480 } });
      } catch {
        figure.say("The camera may not be used here, or there is none. A photo from a file works as well.");
        return;
      }
      camera.setAttribute("aria-pressed", "true");
      const video = Object.assign(element("video", { playsinline: true }), { srcObject: stream, muted: true });
      await Promise.all([video.play(), wake()]);
      const mine = stream;
      while (stream === mine) {
        own = squared(video, video.videoWidth, video.videoHeight);
        figure.draw();
        await new Promise((then) => setTimeout(then, 300));
      }
    }

    for (const kind of ["dragenter", "dragover"]) figure.root.addEventListener(kind, (event) => event.preventDefault());
    figure.root.addEventListener("drop", (event) => {
      event.preventDefault();
      if (event.dataTransfer.files[0]) photo(event.dataTransfer.files[0]);
    });

    const cover = (x, y) => { wake(); figure.set({ cover: [clamp(x, 0, 1), clamp(y, 0, 1)] }); };
    Explore.arrows(canvas, 1 / 24, (dx, dy) => {
      const [x, y] = figure.state.cover;
      cover((x < 0 ? 0.5 : x) + dx, (y < 0 ? 0.5 : y) + dy);
    });
    canvas.addEventListener("keydown", (event) => {
      if (event.key === "Delete" || event.key === "Backspace") {
        event.preventDefault();
        figure.set({ cover: [-1, -1] });
      }
    });
    canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); });
    for (const kind of ["pointerdown", "pointermove"]) canvas.addEventListener(kind, (event) => {
      if (!canvas.hasPointerCapture(event.pointerId)) return;
      const box = canvas.getBoundingClientRect();
      cover((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
    });

    /** What the model says of the picture that is shown, here and now. */
    function ask(source, [x, y]) {
      const pixels = source.getContext("2d").getImageData(0, 0, source.width, source.height);
      if (x >= 0) {
        const side = source.width, edge = (at) => Math.round(clamp(at, 0, 1) * side);
        const [left, right] = [edge(x - COVER / 2), edge(x + COVER / 2)];
        const [top, bottom] = [edge(y - COVER / 2), edge(y + COVER / 2)];
        for (let row = top; row < bottom; row++)
          pixels.data.fill(GREY, 4 * (row * side + left), 4 * (row * side + right));
      }
      const start = performance.now(), said = Vit.run(model, Vit.resize(pixels, model.size));
      const top = said.shares.map((share, k) => [model.letters[k], share]).sort((a, b) => b[1] - a[1]).slice(0, 5);
      return { ...said, top, milliseconds: Math.round(performance.now() - start) };
    }

    function paint(source, said, state) {
      const pen = canvas.getContext("2d"), [x, y] = state.cover;
      /** Paint one cell of a square grid, in reading order. */
      const cell = (place, across, colour) => {
        const size = SHOWN / across;
        pen.fillStyle = colour;
        pen.fillRect((place % across) * size, Math.floor(place / across) * size, size, size);
      };
      pen.drawImage(source, 0, 0, SHOWN, SHOWN);
      if (x >= 0) {
        pen.fillStyle = `rgb(${GREY}, ${GREY}, ${GREY})`;
        pen.fillRect((x - COVER / 2) * SHOWN, (y - COVER / 2) * SHOWN, COVER * SHOWN, COVER * SHOWN);
      }
      if (state.view === "reads") {
        const most = Math.max(...said.reads), across = Math.sqrt(said.reads.length);
        said.reads.forEach((share, patch) => cell(patch, across, `rgba(6, 10, 25, ${0.85 * (1 - share / most)})`));
      }
      if (state.view === "parts" && said.parts) {
        const across = Math.sqrt(said.parts.length);
        said.parts.forEach((part, place) => { if (part) cell(place, across, COLOURS[group(part)]); });
      }
      const [left, top, right, bottom] = said.box;
      change(frame, { x: left, y: top, width: Math.max(0, right - left), height: Math.max(0, bottom - top) });
    }

    const words = ([name, share]) => `${name} (${percent(share)})`;
    function sentence(said, state, known) {
      if (state.view === "parts" && said.parts) {
        const seen = NAMES.filter((_, k) => said.parts.some((part) => part && group(part) === k));
        return seen.length ? `In these patches it finds: ${seen.join(", ")}.` : "It finds no part of a hand here.";
      }
      if (state.cover[0] >= 0 && plain)
        return `With this part covered it says ${words(said.top[0])}; without the cover, ${words(plain.top[0])}.`;
      const says = `It says ${words(said.top[0])}`;
      if (!known) return `${says}. It has learned from rendered hands alone, and always names a letter.`;
      if (said.top[0][0] === known) return `${says}, and is right. Cover a finger: what does the answer depend on?`;
      return `${says}, and is wrong: the hand forms ${known}. Sure is not the same as right.`;
    }

    return (state) => {
      const picture = pictures[clamp(Math.round(state.picture), 0, pictures.length - 1)];
      if (!picture) return;
      const source = own ?? picture.canvas;
      if (!VIEWS[state.view]) state.view = "box";
      if (!model && (state.cover[0] >= 0 || state.view === "parts")) wake();
      const show = () => {
        const said = model ? ask(source, state.cover) : picture;
        if (!model || state.cover[0] < 0) plain = null;
        else if (plain?.of !== source) plain = { ...ask(source, [-1, -1]), of: source };
        paint(source, said, state);
        letter.textContent = said.top[0][0];
        sure.textContent = `${percent(said.top[0][1])} sure`;
        Explore.bars(bars, said.top.map(([name, share]) => [name, share, `${(100 * share).toFixed(1)}%`]));
        figure.say(sentence(said, state, own ? "" : picture.letter));
        if (model) note.textContent = `Computed in this page, in ${said.milliseconds} ms. Nothing leaves it.`;
        else note.textContent ||= HOW;
      };
      view();
      thumbs.childNodes.forEach((button, place) =>
        button.setAttribute("aria-pressed", String(!own && pictures[place] === picture)));
      // At most one picture is computed for each that the screen shows.
      const mine = ++turn;
      if (model) requestAnimationFrame(() => { if (mine === turn) show(); });
      else show();
    };
  }

  Explore.add("hand", { state: { picture: 0, cover: [-1, -1], view: "box" }, build });
})();
