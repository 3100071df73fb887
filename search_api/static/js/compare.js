// Offers to compare: once as many are ticked as can be read side by side, the others wait and the bar says why.

const FORM = "[data-compare-most]";

function limit(form) {
  const boxes = [...form.elements].filter((element) => element.name === "o");
  const said = form.querySelector("[role=status]");
  // More than that may be ticked already: a browser that comes back to a page ticks what it had left there.
  const full = boxes.filter((box) => box.checked).length >= Number(form.dataset.compareMost);
  for (const box of boxes) {
    box.disabled = full && !box.checked;
    if (box.disabled) {
      box.setAttribute("aria-describedby", said.id);
      box.closest("label").title = said.dataset.full;
    } else {
      box.removeAttribute("aria-describedby");
      box.closest("label").removeAttribute("title");
    }
  }
  const text = full ? said.dataset.full : said.dataset.some;
  // What did not change is not told again.
  if (said.textContent !== text) {
    said.textContent = text;
  }
}

function limitAll() {
  document.querySelectorAll(FORM).forEach(limit);
}

document.addEventListener("change", ({ target }) => {
  if (target.form?.matches(FORM)) {
    limit(target.form);
  }
});
document.addEventListener("htmx:afterSettle", limitAll);
addEventListener("pageshow", limitAll);
limitAll();
