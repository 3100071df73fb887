// Runs before the first paint: style sheets tell pages with and without scripts apart by this class.
document.documentElement.className = "js";
