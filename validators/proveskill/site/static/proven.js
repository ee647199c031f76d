"use strict";
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
