/* Paper is white: a page is printed in the light theme, with every answer and hint open, and left as it was.
   Tables of numbers stay as the reader has them. */
"use strict";

(() => {
  const root = document.documentElement;
  let theme, opened;
  window.addEventListener("beforeprint", () => {
    theme = root.dataset.theme;
    root.dataset.theme = "light";
    opened = [...document.querySelectorAll("main details:not(.hide, .run-more, .run-folded, [open])")];
    for (const part of opened) part.open = true;
  });
  window.addEventListener("afterprint", () => {
    root.dataset.theme = theme;
    for (const part of opened) part.open = false;
  });
})();
