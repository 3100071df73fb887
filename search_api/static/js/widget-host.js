// Puts a portal's search where this script stands, in a frame as high as what it shows.

(() => {
  const script = document.currentScript;
  const address = new URL(script.src);
  const frame = document.createElement("iframe");
  frame.src = address.origin + address.pathname.replace(/widget\.js$/, "widget");
  frame.title = script.dataset.titre || "Rechercher une offre de santé";
  frame.loading = "lazy";
  frame.style.width = "100%";
  frame.style.height = "320px";
  frame.style.border = "0";
  script.after(frame);

  // The frame tells its height to whoever greets it from a site that its portal names.
  frame.addEventListener("load", () => frame.contentWindow.postMessage({ kind: "repere:bonjour" }, address.origin));
  addEventListener("message", (event) => {
    if (event.origin !== address.origin || event.source !== frame.contentWindow) {
      return;
    }
    const { kind, height } = event.data ?? {};
    if (kind === "repere:hauteur" && Number.isFinite(height)) {
      frame.style.height = `${Math.min(2000, Math.max(120, Math.ceil(height)))}px`;
    }
  });
})();
