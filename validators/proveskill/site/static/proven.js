"use strict";
// A page opened as a file may not fetch others: then search results have no excerpts, and no errors.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

document.addEventListener("click", (event) => {
  const mark = event.target.closest("button.statement-mark");
  if (!mark) return;
  const proof = document.getElementById(mark.getAttribute("popovertarget"));
  // Code stands in backticks, as in the quotes of the proofs.
  const parts = mark.dataset.text.split("`").map((text, index) => {
    const part = document.createElement(index % 2 ? "code" : "span");
    part.textContent = text;
    return part;
  });
  proof.querySelector(".proof-statement").replaceChildren(...parts);
  proof.querySelector(".proof-verdicts").textContent = mark.dataset.verdicts;
});

// Whoever comes from the search is shown the first hit, not the top of the page.
// Sphinx marks the hits a moment after the page is there.
document.addEventListener("DOMContentLoaded", () => {
  const article = document.querySelector("article");
  if (!article || location.hash) return;
  const watch = new MutationObserver(() => {
    const hits = [...article.querySelectorAll(".highlighted")];
    const hit = hits.find((element) => element.checkVisibility());
    if (!hit) return;
    watch.disconnect();
    hit.scrollIntoView({ block: "center" });
  });
  watch.observe(article, { childList: true, subtree: true });
});
