// Proof of work of a form: altcha's worker computes while the person types; sending waits for it.
const TIMEOUT = 30000;
const form = document.querySelector("form[data-challenged]");
const box = document.getElementById("challenge");
const state = box.querySelector("[data-state]");
const solution = form.elements.namedItem("solution");

function encode(challenge, number) {
  const { algorithm, challenge: hash, salt, signature } = challenge;
  return btoa(JSON.stringify({ algorithm, challenge: hash, number, salt, signature }));
}

function work(challenge) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(box.dataset.worker);
    const timer = setTimeout(() => reject(new Error("too long")), TIMEOUT);
    const end = (settle, value) => {
      clearTimeout(timer);
      worker.terminate();
      settle(value);
    };
    worker.onmessage = ({ data }) => (data ? end(resolve, data.number) : end(reject, new Error("none")));
    worker.onerror = () => end(reject, new Error("worker"));
    const { algorithm, challenge: hash, salt, max } = challenge;
    worker.postMessage({ type: "work", payload: { algorithm, challenge: hash, salt }, start: 0, max });
  });
}

async function solve() {
  // Browsers give no digests to pages that came without encryption; such a form takes the way of those without script.
  if (!window.isSecureContext) {
    state.textContent = "Envoyez cette page vingt secondes au moins après l’avoir ouverte.";
    return;
  }
  const challenge = JSON.parse(box.dataset.challenge);
  try {
    solution.value = encode(challenge, await work(challenge));
    state.textContent = "Vérification faite : vous n’êtes pas un robot.";
  } catch {
    state.textContent = "La vérification n’a pas abouti : envoyez cette page vingt secondes au moins après l’avoir ouverte.";
  }
}

const done = solve();
let sending = false;

form.addEventListener("submit", async (event) => {
  if (solution.value || sending) {
    if (sending) event.preventDefault();
    return;
  }
  event.preventDefault();
  sending = true;
  await done;
  sending = false;
  form.submit();
});
