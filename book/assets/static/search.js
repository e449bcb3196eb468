// The search of the book: ranks the sections that searchindex.js lists while you type, and marks the words on the page
// that you jump to. The index is a script, so that it loads from file:// too, and only once someone wants to search.
"use strict";

const courseSearch = (() => {
  const KIND = { lesson: 1, exercises: 0.3, setup: 0.8, reference: 0.5 };
  const SHOWN = 12, SNIPPET = 170;
  let book = null, loading = null;

  // Letters without marks, in lower case; a hyphen counts as a space, so that hold-out and hold out are one.
  const fold = text => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/[-‐‑–—]/g, " ");
  const split = text => fold(text).match(/[\p{L}\p{N}_]+/gu) ?? [];
  const words = text => ` ${split(text).join(" ")} `;
  const stem = word => (word.length > 4 && /[^s]s$/.test(word) ? word.slice(0, -1) : word);

  function index(data) {
    const sections = data.sections.map(([page, anchor, title, prose, code]) => {
      const [url, name, kind] = data.pages[page];
      const texts = { title: words(title), prose: words(prose), code: words(code) };
      return { url, anchor, title, prose, code, texts, kind, page: name, length: texts.prose.length };
    });
    const terms = data.terms.map(([name, page, anchor, also, says]) => ({
      name, page, anchor, says, names: [name, ...also].map(one => words(one)),
    }));
    book = { sections, terms, mean: sections.reduce((sum, one) => sum + one.length, 0) / sections.length };
  }

  function load() {
    loading ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = `${document.documentElement.dataset.content_root}searchindex.js`;
      script.onload = resolve;
      script.onerror = reject;
      document.head.append(script);
    });
    return loading;
  }

  // How often words that begin with a term stand in a text; whole words count double.
  function count(text, term) {
    let found = 0;
    for (let at = text.indexOf(` ${term}`); at >= 0; at = text.indexOf(` ${term}`, at + 1))
      found += /^s? /.test(text.slice(at + term.length + 1, at + term.length + 3)) ? 2 : 1;
    return found / 2;
  }

  function score(section, query, rarity) {
    let sum = 0;
    for (const [i, term] of query.terms.entries()) {
      const [title, prose, code] = ["title", "prose", "code"].map(part => count(section.texts[part], term));
      if (!title && !prose && !code) return 0;
      const long = 0.4 + 0.6 * (section.length / book.mean);
      sum += rarity[i] * (5 * Math.min(title, 1) + (3 * prose) / (prose + 1.2 * long) + (1.2 * code) / (code + 2));
    }
    if (query.terms.length > 1)
      sum += 8 * count(section.texts.title, query.phrase)
        + 5 * Math.min(count(section.texts.prose, query.phrase) + count(section.texts.code, query.phrase), 2);
    return sum * KIND[section.kind];
  }

  // What a question asks about: "what is a token?" and "what does frozen mean" are about token and frozen.
  const QUESTION =
    /^\s*(?:what|how|why) +(?:is|are|do|does|to) +(?:(?:an?|the|i) +)?(\S.*?)(?: +(?:mean|work)s?)?[\s?]*$/i;
  const topic = text => text.match(QUESTION)?.[1] ?? text;

  // The query as it stands, and in the other words of a term that it names.
  function variants(asked) {
    const text = topic(asked), own = words(text), named = book.terms.filter(term => term.names.includes(own));
    const begun = own.length < 5 ? [] : book.terms.filter(term => term.names[0].startsWith(own.trimEnd()));
    named.sort((a, b) => (b.names[0] === own) - (a.names[0] === own));
    const other = named.flatMap(term => term.names).filter(one => one !== own);
    const made = [own, ...new Set(other)].map((one, i) => {
      const terms = split(one).map(stem);
      return { terms, phrase: terms.join(" "), weight: i ? 0.6 : 1 };
    });
    return { made, homes: [...new Set([...named, ...begun])], named };
  }

  function search(text) {
    const { made, homes, named } = variants(text), best = new Map();
    for (const query of made.filter(query => query.terms.length)) {
      const rarity = query.terms.map(term => {
        const many = book.sections.filter(({ texts }) => count(texts.title + texts.prose + texts.code, term)).length;
        return Math.log(1 + book.sections.length / (1 + many));
      });
      for (const section of book.sections) {
        const points = query.weight * score(section, query, rarity);
        if (points > (best.get(section)?.points ?? 0)) best.set(section, { section, points, query });
      }
    }
    // The section that teaches the term comes first.
    for (const [i, { page, anchor }] of homes.entries()) {
      const section = book.sections.find(one => one.url.startsWith(`${page}.`) && (one.anchor || "") === anchor)
        ?? book.sections.find(one => one.url.startsWith(`${page}.`) && !one.anchor);
      if (!section) continue;
      const hit = best.get(section) ?? { section, points: 0, query: made[0] };
      best.set(section, { ...hit, points: hit.points + 100 * (homes.length - i) });
    }
    const found = [...best.values()].sort((a, b) => b.points - a.points);
    return { found, says: named };
  }

  const pattern = terms => new RegExp(`(?<![\\p{L}\\p{N}])(${terms.map(term => term.replace(/_/g, "[_ ]")
    .replace(/ /g, "[\\s\\-‑]+")).join("|")})[\\p{L}\\p{N}]*`, "giu");
  const wanted = query => pattern([query.phrase, ...query.terms.filter(term => term.length > 2)]);

  function marked(text, query) {
    const box = document.createDocumentFragment();
    let end = 0;
    for (const match of text.matchAll(wanted(query))) {
      box.append(text.slice(end, match.index), Object.assign(document.createElement("mark"), { textContent: match[0] }));
      end = match.index + match[0].length;
    }
    box.append(text.slice(end));
    return box;
  }

  function snippet({ prose, code }, query) {
    for (const text of [prose, code]) {
      const at = text.search(wanted(query));
      if (at < 0) continue;
      const from = at < 60 ? 0 : text.indexOf(" ", at - 50) + 1;
      const part = text.slice(from, from + SNIPPET);
      return `${from ? "… " : ""}${part}${from + SNIPPET < text.length ? " …" : ""}`;
    }
    return (prose || code).slice(0, SNIPPET);
  }

  function address(section, query) {
    const root = document.documentElement.dataset.content_root;
    return `${root}${section.url}?mark=${encodeURIComponent(query.phrase)}${section.anchor ? `#${section.anchor}` : ""}`;
  }

  function option({ section, query }, id) {
    const link = Object.assign(document.createElement("a"), { id, href: address(section, query), tabIndex: -1 });
    link.setAttribute("role", "option");
    link.setAttribute("aria-selected", "false");
    const line = (name, content) => {
      const part = Object.assign(document.createElement("span"), { className: name });
      part.append(content);
      link.append(part);
    };
    line("hit-title", marked(section.title, query));
    if (section.anchor) line("hit-page", section.page);
    line("hit-text", marked(snippet(section, query), query));
    return link;
  }

  // One field with its list: in the dialog, and on the page of the search.
  function attach(form, number) {
    const field = form.querySelector("input"), box = form.parentElement;
    const list = box.querySelector("[role=listbox]"), status = box.querySelector("[role=status]");
    let active = -1;

    function choose(next) {
      const options = [...list.children];
      options[active]?.setAttribute("aria-selected", "false");
      active = options.length ? (next + options.length) % options.length : -1;
      options[active]?.setAttribute("aria-selected", "true");
      options[active]?.scrollIntoView({ block: "nearest" });
      if (active < 0) field.removeAttribute("aria-activedescendant");
      else field.setAttribute("aria-activedescendant", options[active].id);
    }

    function show() {
      const text = field.value.trim();
      if (!book || text.length < 2) {
        list.replaceChildren();
        status.textContent = "";
      } else {
        const { found, says } = search(text);
        list.replaceChildren(...found.slice(0, SHOWN).map((hit, i) => option(hit, `hit-${number}-${i}`)));
        const many = found.length > SHOWN ? `The first ${SHOWN} of ${found.length} sections.`
          : `${found.length} section${found.length === 1 ? "" : "s"}.`;
        status.textContent = found.length ? [...says.map(term => `${term.name}: ${term.says}`), many].join(" ")
          : "Nothing found. Try another word for it, or the glossary.";
      }
      field.setAttribute("aria-expanded", String(list.children.length > 0));
      active = -1;
      choose(0);
    }

    const start = () => load().then(show, () => {
      status.textContent = "The index of the search did not load: open the book from its own folder.";
    });
    field.addEventListener("focus", start);
    field.addEventListener("input", start);
    field.addEventListener("keydown", event => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step) {
        event.preventDefault();
        choose(active + step);
      }
    });
    form.addEventListener("submit", event => {
      event.preventDefault();
      list.children[active]?.click();
    });
    // A jump within this page does not load it anew, so the dialog has to go.
    list.addEventListener("click", () => form.closest("dialog")?.close());
    return { field, start };
  }

  // On the page that a search leads to: mark its words in the section, and go to the first that is far down.
  function markWords() {
    const phrase = new URLSearchParams(location.search).get("mark");
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const section = target?.closest("section, dt, div.citation") ?? document.querySelector("article section");
    if (!phrase || !section) return;
    const terms = phrase.split(" ");
    const apart = ".MathJax, mjx-container, script, style, svg, mark, details:not([open]), section section";
    const skip = node => node.parentElement.closest(apart) && node.parentElement.closest(apart) !== section;
    const walker = document.createTreeWalker(section, NodeFilter.SHOW_TEXT), texts = [];
    while (walker.nextNode()) if (!skip(walker.currentNode)) texts.push(walker.currentNode);
    for (const node of texts) {
      const parts = marked(node.data, { phrase, terms });
      if (parts.querySelector("mark")) node.replaceWith(parts);
    }
    const first = section.querySelector("mark");
    if (first && first.getBoundingClientRect().top > innerHeight * 0.8) first.scrollIntoView({ block: "center" });
  }

  document.addEventListener("DOMContentLoaded", () => {
    const forms = [...document.querySelectorAll("form.bd-search")].map(attach);
    const asked = new URLSearchParams(location.search).get("q"), page = document.querySelector(".bd-search-container input");
    if (page) {
      const { start } = forms.find(({ field }) => field === page);
      page.value = asked ?? "";
      page.focus();
      start();
    }
    (window.MathJax?.startup?.promise ?? Promise.resolve()).then(markWords);
  });

  return { index, search: text => load().then(() => search(text)) };
})();
window.courseSearch = courseSearch;
