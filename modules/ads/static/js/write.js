// Where the focus goes once a part of the form is drawn again: to its field, unless somebody writes elsewhere meanwhile.
document.addEventListener("htmx:afterSettle", (event) => {
  const part = document.getElementById(event.detail.target.id);
  const field = part && part.querySelector("[data-focus]");
  const here = document.activeElement;
  if (field && (!here || here === document.body || part.contains(here))) field.focus();
});
