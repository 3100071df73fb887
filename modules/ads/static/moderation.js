// Confirmations open beside the ad instead of on another page, and a model fills the reason as soon as it is chosen.
for (const link of document.querySelectorAll("[data-dialog]")) {
  const dialog = document.getElementById(link.dataset.dialog);
  link.setAttribute("role", "button");
  link.addEventListener("click", (event) => {
    event.preventDefault();
    dialog.showModal();
  });
  link.addEventListener("keydown", (event) => {
    if (event.key === " ") {
      event.preventDefault();
      dialog.showModal();
    }
  });
  for (const button of dialog.querySelectorAll("[data-close]")) {
    button.addEventListener("click", () => dialog.close());
  }
}

for (const link of document.querySelectorAll("[data-opens]")) {
  const folded = document.getElementById(link.dataset.opens);
  link.addEventListener("click", (event) => {
    event.preventDefault();
    folded.open = true;
    folded.scrollIntoView();
    folded.querySelector("select, textarea").focus({ preventScroll: true });
  });
}

for (const choice of document.querySelectorAll("[data-fills]")) {
  const area = document.getElementById(choice.dataset.fills);
  let filled = "";
  choice.addEventListener("change", () => {
    const text = choice.selectedOptions[0].dataset.text ?? "";
    const typed = area.value.trim();
    // What the model before wrote is replaced; what somebody typed is kept.
    const kept = filled && typed.endsWith(filled) ? typed.slice(0, typed.length - filled.length).trim() : typed;
    area.value = [kept, text].filter(Boolean).join("\n\n");
    filled = text.trim();
  });
}
