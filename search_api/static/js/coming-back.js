// Back from a sheet, or from another page: the list where it was read, or its map.

const VIEWS = "repere:vues";
const MOST = 20;

function here() {
  return location.pathname + location.search;
}

function views() {
  return JSON.parse(sessionStorage.getItem(VIEWS) ?? "[]");
}

/** Remembers `{map, y}` for an address. */
function keep(address, view) {
  try {
    const others = views().filter((other) => other.address !== address);
    sessionStorage.setItem(VIEWS, JSON.stringify([...others, { address, ...view }].slice(-MOST)));
    sessionStorage.setItem("repere:recherche", here());
  } catch {
    // Storage may be forbidden: the page then begins with its list, and a sheet links to an empty search.
  }
}

/** Tells what was left on this page, when somebody comes back to it; `led` when a link of a sheet brought them. */
function left() {
  try {
    sessionStorage.setItem("repere:recherche", here());
    const led = sessionStorage.getItem("repere:retour") === here();
    sessionStorage.removeItem("repere:retour");
    const [{ type }] = performance.getEntriesByType("navigation");
    const view = led || type === "back_forward" || type === "reload" ? views().find((one) => one.address === here()) : null;
    return view ? { ...view, led } : null;
  } catch {
    return null;
  }
}

/** Follows the addresses of the page; `now()` gives `{map, y}`, and `restore(view)` takes up what was left. */
export function comingBack(now, restore) {
  let shown = here();
  const view = left();
  if (view) {
    restore(view);
  }
  addEventListener("pagehide", () => keep(shown, now()));
  for (const name of ["htmx:pushedIntoHistory", "htmx:replacedInHistory"]) {
    document.body.addEventListener(name, () => {
      keep(shown, now());
      shown = here();
    });
  }
}
