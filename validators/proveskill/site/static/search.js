"use strict";
// The search page: sections.js has every section, MiniSearch ranks them (BM25), Sphinx's
// language_data.js has the stemmer and the stop words. Nothing is fetched, so it works from files.
(() => {
  const SHOWN = 50;
  const form = document.getElementById("search");
  const input = form.elements.q;
  const results = document.getElementById("search-results");
  const count = document.getElementById("search-count");
  const stemmer = new Stemmer();

  // execute_many is found by its whole name and by its parts.
  const words = (text) =>
    (text.match(/[\p{L}\p{N}_]+/gu) ?? []).flatMap((word) =>
      word.includes("_") ? [word, ...word.split("_").filter(Boolean)] : [word],
    );
  const stem = (word) => {
    const lower = word.toLowerCase();
    return stopwords.has(lower) ? null : stemmer.stemWord(lower);
  };
  const index = new MiniSearch({
    idField: "address",
    fields: ["title", "page", "text"],
    storeFields: ["title", "page", "text"],
    tokenize: words,
    processTerm: stem,
    searchOptions: { boost: { title: 3, page: 1.5 } },
  });
  index.addAll(SECTIONS);

  // First what has every word; where nothing has, what has some; then what is spelled nearly so.
  const find = (query) => {
    for (const options of [
      { combineWith: "AND" },
      { combineWith: "AND", prefix: true },
      { combineWith: "OR" },
      { combineWith: "OR", prefix: true, fuzzy: 0.2 },
    ]) {
      const found = index.search(query, options);
      if (found.length) return found;
    }
    return [];
  };

  const element = (name, className, text) => {
    const made = document.createElement(name);
    made.className = className;
    made.textContent = text;
    return made;
  };
  // The text around the first word that was found, with every such word marked.
  const excerpt = (text, terms) => {
    const matches = [...text.matchAll(/[\p{L}\p{N}_]+/gu)].filter((match) =>
      words(match[0]).some((word) => terms.has(stem(word))),
    );
    const first = matches[0]?.index ?? 0;
    const start = first < 80 ? 0 : text.lastIndexOf(" ", first - 50) + 1;
    const end = text.length < start + 220 ? text.length : text.lastIndexOf(" ", start + 220);
    const paragraph = element("p", "search-text", start ? "… " : "");
    let at = start;
    for (const match of matches) {
      if (match.index < at || match.index + match[0].length > end) continue;
      paragraph.append(text.slice(at, match.index), element("mark", "", match[0]));
      at = match.index + match[0].length;
    }
    paragraph.append(text.slice(at, end), end < text.length ? " …" : "");
    return paragraph;
  };
  const item = (found) => {
    const made = document.createElement("li");
    const link = element("a", "search-title", found.title);
    link.href = found.id;
    made.append(link);
    if (found.page !== found.title) made.append(element("span", "search-page", found.page));
    made.append(excerpt(found.text, new Set(found.terms)));
    return made;
  };

  const show = () => {
    const query = input.value.trim();
    const found = query ? find(query) : [];
    const sections = `${found.length} section${found.length === 1 ? "" : "s"}`;
    const first = found.length > SHOWN ? `, the first ${SHOWN} of them` : "";
    count.textContent = !query ? "" : found.length ? sections + first : "Nothing was found.";
    results.replaceChildren(...found.slice(0, SHOWN).map(item));
  };

  input.value = new URLSearchParams(location.search).get("q") ?? "";
  input.addEventListener("input", () => {
    history.replaceState(null, "", `?${new URLSearchParams({ q: input.value })}`);
    show();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  // Sphinx marks these words in the page that is opened next.
  results.addEventListener("click", (event) => {
    if (!event.target.closest("a")) return;
    const kept = words(input.value).filter((word) => stem(word) && word.length > 2);
    localStorage.setItem("sphinx_highlight_terms", kept.join(" ").toLowerCase());
  });
  show();
  if (!input.value) input.focus();
})();
