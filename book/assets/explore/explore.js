// What all explorables share: where they stand, their state and the address, a sentence, controls, drawing, dragging.
// Plain scripts without modules or requests, so that a page works from a file.
"use strict";

const Explore = (() => {
  const folder = document.currentScript.src.replace(/[^/]*$/, "");
  const kinds = {}; // name: {state, build}
  const given = {}; // data by the name of its file
  const asked = {}; // the promise of each file

  /** A kind of explorable: the state that it starts from, and build(figure), which returns draw(state); `late` for one
   * that is built, and loads what it needs, only when a reader comes near it. */
  const add = (name, kind) => { kinds[name] = kind; };

  /** What a file of data calls. */
  const give = (name, data) => { given[name] = data; };

  /** The data of a file, loaded once, and only when it is asked for. */
  function want(name) {
    asked[name] ??= new Promise((found, failed) => {
      if (given[name]) { found(given[name]); return; }
      const script = Object.assign(document.createElement("script"), { src: `${folder}${name}.js` });
      script.onload = () => found(given[name]);
      script.onerror = () => { delete asked[name]; failed(new Error(`${name}.js could not be loaded`)); };
      document.head.append(script);
    });
    return asked[name];
  }

  /** The bytes of a text in base64. */
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

  /** A picture, when it is there. */
  const image = (address) => new Promise((found, failed) => {
    const made = new Image();
    made.onload = () => found(made);
    made.onerror = () => failed(new Error("that is no picture that this browser can read"));
    made.src = address;
  });

  /** An element: attributes, `on…` listeners, children. Names of SVG make elements of SVG. */
  const DRAWN = new Set(["svg", "g", "path", "line", "circle", "rect", "text", "polygon", "title", "image"]);
  function element(name, attributes = {}, ...children) {
    const made = DRAWN.has(name) ? document.createElementNS("http://www.w3.org/2000/svg", name)
      : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
      else if (value !== false && value !== undefined) made.setAttribute(key, value === true ? "" : value);
    }
    made.append(...children);
    return made;
  }

  /** New attributes of an element that stands already. */
  const change = (made, attributes) => {
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  };

  /** Shares as bars: [name, share, its words] each, in a list. */
  const bars = (list, rows) => list.replaceChildren(...rows.map(([name, share, text]) => element("li", {},
    element("b", {}, name), element("i", {}, element("u", { style: `width: ${100 * share}%` })),
    element("span", {}, text))));

  const clamp = (value, least, most) => Math.min(most, Math.max(least, value));
  const percent = (share) => (share > 0.994 && share < 1 ? "over 99%" : `${Math.round(100 * share)}%`);

  // In the address: #explore-tokens?factor=4&query=2,0
  function written(state, first) {
    const parts = Object.entries(state).filter(([key, value]) => String(value) !== String(first[key]));
    return parts.map(([key, value]) => `${key}=${[value].flat().map(short).join(",")}`).join("&");
  }
  const short = (value) => (typeof value === "number" ? Math.round(1000 * value) / 1000 : encodeURIComponent(value));

  /** The state that an address holds: of the kind of what the figure starts from, and nothing else. */
  function read(text, first) {
    const found = {};
    for (const [key, value] of new URLSearchParams(text)) {
      if (!(key in first)) continue;
      const kind = first[key];
      const parts = value.split(",").map(Number);
      if (Array.isArray(kind)) { if (parts.length === kind.length && parts.every(Number.isFinite)) found[key] = parts; }
      else if (typeof kind === "number") { if (value !== "" && Number.isFinite(parts[0])) found[key] = parts[0]; }
      else if (value.length <= 200) found[key] = value;
    }
    return found;
  }

  class Figure {
    constructor(root, kind) {
      this.root = root;
      this.first = kind.state;
      this.live = element("div", { class: "explore-live" });
      this.controls = element("div", { class: "explore-controls" });
      this.sentence = element("p", { class: "explore-says", "aria-live": "polite" });
      this.reset = element("button", { type: "button", class: "explore-reset", onclick: () => this.set(this.first) },
        "Start again");
      this.state = structuredClone(kind.state);
      this.drawing = kind.build(this);
      root.querySelector(".explore-still")?.remove();
      root.append(this.reset, this.live, this.controls);
      if (!this.sentence.parentNode) root.append(this.sentence); // a kind may have a better place for it
      root.classList.add("is-live");
      if (!this.fromAddress()) this.draw();
      addEventListener("hashchange", () => this.fromAddress());
    }

    /** Draw the state that the address holds, if it is one of this figure. */
    fromAddress() {
      const [name, state] = location.hash.slice(1).split("?");
      if (name !== this.root.id || state === undefined) return false;
      Object.assign(this.state, structuredClone(this.first), read(state, this.first));
      this.draw();
      this.root.scrollIntoView({ block: "center" });
      return true;
    }

    /** Take over a part of a state, draw it and note it in the address. */
    set(part) {
      Object.assign(this.state, structuredClone(part));
      this.draw();
      clearTimeout(this.noting);
      this.noting = setTimeout(() => {
        const state = written(this.state, this.first);
        history.replaceState(null, "", `#${this.root.id}${state && `?${state}`}`);
      }, 300);
    }

    draw() {
      this.drawing(this.state);
      this.reset.disabled = !written(this.state, this.first);
    }

    /** The sentence under the figure, which is read out when it changes. */
    say(text) { if (this.sentence.textContent !== text) this.sentence.textContent = text; }

    /** A slider for a number of the state; `show` gives it in words. Returns what brings it up to date. */
    slider(key, label, { values, show = String }) {
      const shown = element("span", { class: "explore-value", "aria-hidden": "true" });
      const input = element("input", { type: "range", min: 0, max: values.length - 1, step: 1,
        oninput: () => this.set({ [key]: values[input.value] }) });
      this.controls.append(element("label", { class: "explore-slider" }, element("span", {}, label), input, shown));
      return () => {
        const near = values.map((value) => Math.abs(value - this.state[key]));
        input.value = near.indexOf(Math.min(...near));
        shown.textContent = show(this.state[key]);
        input.setAttribute("aria-valuetext", show(this.state[key]));
      };
    }

    /** Buttons of which one is pressed; `options` gives the words of each value. */
    choice(key, label, options) {
      const buttons = Object.entries(options).map(([value, words]) => element("button", { type: "button",
        onclick: () => this.set({ [key]: typeof this.first[key] === "number" ? Number(value) : value }) }, words));
      this.controls.append(element("div", { class: "explore-choice", role: "group", "aria-label": label },
        element("span", { "aria-hidden": "true" }, label), ...buttons));
      return () => Object.keys(options).forEach((value, place) =>
        buttons[place].setAttribute("aria-pressed", String(value === String(this.state[key]))));
    }
  }

  /** Where the pointer is on a drawing, in the drawing's own units. */
  function place(drawing, event) {
    const box = drawing.getBoundingClientRect(), view = drawing.viewBox.baseVal;
    return [view.x + ((event.clientX - box.left) / box.width) * view.width,
      view.y + ((event.clientY - box.top) / box.height) * view.height];
  }

  /** Something to drag with the pointer: `move(x, y)` in the drawing's units, from the press on. */
  function drag(handle, drawing, move) {
    handle.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      handle.setPointerCapture(event.pointerId);
      handle.focus?.({ preventScroll: true });
      move(...place(drawing, event), true);
      event.preventDefault();
    });
    handle.addEventListener("pointermove", (event) => {
      if (handle.hasPointerCapture(event.pointerId)) move(...place(drawing, event), false);
    });
  }

  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  /** The same with the arrow keys, `step` at a time: `by(dx, dy)`, where y grows downwards. */
  function arrows(handle, step, by) {
    handle.addEventListener("keydown", (event) => {
      const way = ARROWS[event.key];
      if (!way || event.ctrlKey || event.metaKey || event.altKey) return;
      by(way[0] * step, way[1] * step);
      event.preventDefault();
    });
  }

  function begin() {
    const near = new IntersectionObserver((seen) => {
      for (const { target } of seen.filter((one) => one.isIntersecting)) {
        near.unobserve(target);
        new Figure(target, kinds[target.dataset.explore]);
      }
    }, { rootMargin: "300px" });
    for (const root of document.querySelectorAll("[data-explore]")) {
      const kind = kinds[root.dataset.explore];
      if (!kind || root.classList.contains("is-live")) continue;
      if (kind.late && !location.hash.startsWith(`#${root.id}?`)) near.observe(root);
      else new Figure(root, kind);
    }
  }
  document.addEventListener("DOMContentLoaded", begin);

  return { add, give, want, bytes, image, element, change, bars, clamp, percent, drag, arrows, kinds };
})();
