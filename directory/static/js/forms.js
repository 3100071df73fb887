// Forms: what must be read first takes the focus; the save of a draft says so when it fails.

const summary = document.querySelector(".error-summary[role='alert']");
if (summary) {
  summary.focus();
} else if (location.hash) {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const search = target?.closest("fieldset")?.querySelector("input[autofocus]");
  (search ?? target)?.focus();
}

const form = document.getElementById("etape");
const state = document.getElementById("etat");
if (form && state) {
  // What was typed since the last save, for who leaves before the next one.
  let unsaved = false;
  form.addEventListener("input", () => {
    unsaved = true;
  });
  form.addEventListener("submit", () => {
    unsaved = false;
  });
  document.body.addEventListener("htmx:beforeRequest", (event) => {
    // A search in a list sends nothing of the rest.
    unsaved = unsaved && event.detail.requestConfig.verb !== "post";
  });
  addEventListener("pagehide", () => {
    if (unsaved) {
      const typed = new FormData(form);
      typed.set("action", "garder");
      navigator.sendBeacon(form.getAttribute("action"), new URLSearchParams([...typed]));
    }
  });

  const said = "Le brouillon n’a pas pu être enregistré. Vos saisies restent sur cette page : réessayez « Suivant ».";
  for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.body.addEventListener(name, () => {
      state.textContent = said;
    });
  }
}
