// What a reader has done, kept in this browser and nowhere else: how far each page of a lesson was read, whether the
// first answer to a quiz was right, which exercises are ticked, and where the reader was last.
"use strict";

(() => {
  const KEY = "vitcourse-progress";
  const REFUSED = "This browser keeps nothing for these pages (a private window, or storage is switched off). "
    + "All else works as usual.";
  const name = DOCUMENTATION_OPTIONS.pagename ?? "", root = document.documentElement.dataset.content_root;
  const empty = () => ({ version: 1, read: {}, quizzes: {}, exercises: {}, at: null });
  const isShare = value => typeof value === "number" && value >= 0 && value <= 1;
  const PAGE = /^[\w/]+$/, isPage = value => PAGE.test(value);
  let refused = false;

  // Whatever lies there, or comes from a file: only what has the form of progress is taken.
  function checked(value) {
    if (value?.version !== 1) return null;
    const isKey = key => isPage(key.replace(/[.-]/g, "_"));
    const only = (table, right) =>
      Object.fromEntries(Object.entries(table ?? {}).filter(([key, entry]) => isKey(key) && right(entry)));
    const at = value.at && isPage(value.at.page) && /^[\w-]*$/.test(value.at.anchor) ? value.at : null;
    return {
      version: 1,
      read: only(value.read, isShare),
      quizzes: only(value.quizzes, entry => typeof entry === "boolean"),
      exercises: only(value.exercises, entry => entry === true),
      at: at && { page: at.page, anchor: at.anchor, title: String(at.title) },
    };
  }

  function load() {
    try {
      return checked(JSON.parse(localStorage.getItem(KEY))) ?? empty();
    } catch (error) {
      refused ||= !(error instanceof SyntaxError);
      return empty();
    }
  }

  // Read anew before each change: another tab may have changed it.
  function change(edit) {
    const state = load();
    edit(state);
    try {
      localStorage.setItem(KEY, JSON.stringify(state));
    } catch {
      refused = true;
    }
    show(state);
  }

  const percent = share => `${Math.round(100 * share)}%`;
  const make = (tag, properties, ...content) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...content);
    return element;
  };

  function show(state) {
    showSidebar(state);
    for (const link of document.querySelectorAll("[data-continue]")) {
      link.hidden = !state.at;
      if (!state.at) continue;
      const { page, anchor, title } = state.at;
      link.href = `${root}${page}.html${anchor ? `#${anchor}` : ""}`;
      link.textContent = `Continue: ${title} (${percent(state.read[page] ?? 0)} read)`;
    }
    for (const box of document.querySelectorAll("input[data-tick]")) box.checked = box.dataset.tick in state.exercises;
    for (const quiz of document.querySelectorAll("[data-quiz]")) {
      const first = state.quizzes[quiz.dataset.quiz];
      quiz.querySelector(".quiz-first").textContent =
        first === undefined ? "" : `Your first answer was ${first ? "right" : "not right"}.`;
    }
    for (const row of document.querySelectorAll("[data-progress]")) {
      const { pages, quizzes, exercises } = JSON.parse(row.dataset.progress);
      const read = pages.reduce((sum, page) => sum + (state.read[page] ?? 0), 0) / pages.length;
      const cells = row.querySelectorAll("td");
      cells[0].textContent = percent(read);
      cells[1].textContent = `${quizzes.filter(id => state.quizzes[id]).length} of ${quizzes.length}`;
      cells[2].textContent = `${exercises.filter(id => state.exercises[id]).length} of ${exercises.length}`;
    }
    const said = document.querySelector(".progress-said");
    if (said && refused) said.textContent = REFUSED;
  }

  function showSidebar(state) {
    for (const link of document.querySelectorAll(".bd-sidebar-primary a.internal")) {
      const own = link.getAttribute("href") === "#" ? name : "";
      const page = new URL(link.href, location).pathname.match(/(lessons\/\w+\/\w+)\.html$/)?.[1] ?? own;
      const share = state.read[page] ?? 0;
      let mark = link.querySelector(".read-share");
      if (share < 0.02) mark?.remove();
      else {
        if (!mark) link.append(mark = make("span", { className: "read-share" }));
        mark.textContent = share > 0.97 ? " ✓ read" : ` ${percent(share)} read`;
      }
    }
  }

  function watchReading() {
    const article = document.querySelector("article.bd-article");
    const sections = [...article.querySelectorAll("section[id]")];
    let waiting = 0;
    const look = () => {
      waiting = 0;
      const { top, height } = article.getBoundingClientRect();
      const share = Math.min(1, Math.max(0, (innerHeight - top) / height));
      const here = sections.filter(section => section.getBoundingClientRect().top < innerHeight / 2).pop();
      change(state => {
        state.read[name] = Math.max(state.read[name] ?? 0, Math.round(100 * share) / 100);
        const title = document.querySelector("article h1")?.firstChild?.textContent.trim() ?? document.title;
        state.at = { page: name, anchor: here && here !== sections[0] ? here.id : "", title };
      });
    };
    // A page that was only opened is not read.
    addEventListener("scroll", () => { waiting ||= setTimeout(look, 400); }, { passive: true });
  }

  function watchQuizzes() {
    for (const quiz of document.querySelectorAll("[data-quiz]")) {
      quiz.append(make("p", { className: "quiz-first" }));
      quiz.addEventListener("toggle", event => {
        if (!event.target.open || !event.target.matches(".quiz-choice")) return;
        change(state => {
          state.quizzes[quiz.dataset.quiz] ??= event.target.classList.contains("quiz-right");
        });
      }, true);
    }
  }

  function offerTicks() {
    for (const place of document.querySelectorAll("[data-exercise]")) {
      const box = make("input", { type: "checkbox" });
      box.dataset.tick = place.dataset.exercise;
      box.addEventListener("change", () => change(state => {
        if (box.checked) state.exercises[box.dataset.tick] = true;
        else delete state.exercises[box.dataset.tick];
      }));
      place.append(make("label", { className: "exercise-tick" }, box, " done"));
    }
  }

  function merge(state, other) {
    for (const [page, share] of Object.entries(other.read)) state.read[page] = Math.max(share, state.read[page] ?? 0);
    state.quizzes = { ...other.quizzes, ...state.quizzes };
    state.exercises = { ...other.exercises, ...state.exercises };
    state.at ??= other.at;
  }

  function offerButtons(box) {
    const said = make("p", { className: "progress-said" });
    said.setAttribute("role", "status");
    const button = (text, act) => {
      const made = make("button", { type: "button", className: "course-button" }, text);
      made.addEventListener("click", act);
      return made;
    };
    const file = make("input", { type: "file", accept: ".json,application/json", hidden: true });
    file.addEventListener("change", async () => {
      try {
        const other = checked(JSON.parse(await file.files[0].text()));
        if (!other) throw new SyntaxError();
        change(state => merge(state, other));
        said.textContent = refused ? REFUSED : "Taken in: what was there before is kept.";
      } catch {
        said.textContent = "This file holds no progress of this course; nothing is changed.";
      }
      file.value = "";
    });
    let sure = false;
    const forget = button("Forget my progress", () => {
      if (sure) {
        try { localStorage.removeItem(KEY); } catch { refused = true; }
        show(load());
      }
      said.textContent = sure ? "Forgotten." : "Press once more to forget all of it.";
      sure = !sure;
      forget.textContent = sure ? "Yes, forget it" : "Forget my progress";
    });
    const save = button("Save to a file", () => {
      const url = URL.createObjectURL(new Blob([JSON.stringify(load(), null, 1)], { type: "application/json" }));
      make("a", { href: url, download: "vitcourse-progress.json" }).click();
      setTimeout(() => URL.revokeObjectURL(url), 1000);
    });
    box.append(save, button("Take in from a file", () => file.click()), forget, file, said);
  }

  document.addEventListener("DOMContentLoaded", () => {
    watchQuizzes();
    offerTicks();
    for (const box of document.querySelectorAll(".progress-buttons")) offerButtons(box);
    if (name.startsWith("lessons/")) watchReading();
    show(load());
    addEventListener("storage", () => show(load()));
  });
})();
