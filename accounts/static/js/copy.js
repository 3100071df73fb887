// A secret that is shown once: copied by a button where the browser can.
if (navigator.clipboard) {
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const input = document.getElementById(button.dataset.copy);
      const status = document.querySelector("[data-copied]");
      try {
        await navigator.clipboard.writeText(input.value);
        status.textContent = "Copié.";
      } catch {
        input.select();
        status.textContent = "La copie n’est pas permise : le texte est sélectionné.";
      }
    });
  }
}
