// Forms: what must be read first takes the focus; the save of a draft says so when it fails.

const summary = document.querySelector(".error-summary[role='alert']");
if (summary) {
  summary.focus();
} else if (location.hash) {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const search = target?.closest("fieldset")?.querySelector("input[autofocus]");
  (search ?? target)?.focus();
}

const state = document.getElementById("etat");
if (state) {
  const said = "Le brouillon n’a pas pu être enregistré. Vos saisies restent sur cette page : réessayez « Suivant ».";
  for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.body.addEventListener(name, () => {
      state.textContent = said;
    });
  }
}
